import { fromBase64 } from "../shared/base64.js";
import { readPayload } from "../shared/payload.js";
import { Explorer } from "./explorer.js";

/** The page as a file of its own: the payload lies in the document, and nobody listens. */
export function start() {
  const [stored, root] = [document.getElementById("payload"), document.getElementById("explorer")];
  if (!stored || !root) throw new Error("This document holds no model.");
  const header = readPayload(fromBase64(stored.textContent.trim()));
  header.scene = root.dataset.scene ?? "";
  /** @type {import("./scene/app.js").Host} */
  const host = { kind: "file", startWorker, setState: () => {}, trigger: () => {} };
  const app = new Explorer(root, header, host);
  Object.assign(root, { explorer: app });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.refreshTheme());
}

/** A worker of the script that lies in the document: a file has no address to load one from. */
function startWorker() {
  const script = document.getElementById("worker")?.textContent ?? "";
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address);
  worker.addEventListener("error", () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

start();
