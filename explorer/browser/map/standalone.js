import { fromBase64 } from "../shared/base64.js";
import { readPayload } from "../shared/payload.js";
import { standAlone } from "./alone.js";

/** The page as a file of its own: the payload lies in the document. */
export async function start() {
  const [stored, root] = [document.getElementById("payload"), document.getElementById("explorer")];
  if (!stored || !root) throw new Error("This document holds no model.");
  const header = readPayload(fromBase64(stored.textContent.trim()));
  header.scene = root.dataset.scene ?? "";
  await standAlone(root, header, document.getElementById("worker")?.textContent ?? "");
}

start();
