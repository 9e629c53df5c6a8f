import { fromBase64 } from "../shared/base64.js";
import { readPayload } from "../shared/payload.js";
import { Explorer } from "./explorer.js";

/** The page as a file of its own: the payload lies in the document, and nobody listens. */
export function start() {
  const stored = document.getElementById("payload").textContent.trim();
  const root = document.getElementById("explorer");
  const header = readPayload(fromBase64(stored));
  header.scene = root.dataset.scene ?? "";
  /** @type {import("./explorer.js").Host} */
  const host = { kind: "file", setState: () => {}, trigger: () => {} };
  const app = new Explorer(root, header, host);
  Object.assign(root, { explorer: app });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.refreshTheme());
}

start();
