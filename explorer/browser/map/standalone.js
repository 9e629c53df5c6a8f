import { fromBase64 } from "../shared/base64.js";
import { make } from "../shared/dom.js";
import { readPayload } from "../shared/payload.js";
import { openSheet } from "../shared/sheet.js";
import { Explorer } from "./explorer.js";

/** The page as a file of its own: the payload lies in the document, and nobody listens. */
export async function start() {
  const [stored, root] = [document.getElementById("payload"), document.getElementById("explorer")];
  if (!stored || !root) throw new Error("This document holds no model.");
  const header = readPayload(fromBase64(stored.textContent.trim()));
  header.scene = root.dataset.scene ?? "";
  await openSheets(header);
  /** @type {import("./scene/app.js").Host} */
  const host = { kind: "file", startWorker, setState: () => {}, trigger: () => {} };
  const app = new Explorer(root, header, host);
  Object.assign(root, { explorer: app });
  tellWhatCame(root, app);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.refreshTheme());
}

/** @param {import("../model/header.js").Header} header */
async function openSheets({ pictures, atlas, shape }) {
  if (pictures?.sheet) pictures.pixels = await openSheet(pictures.sheet, shape);
  if (atlas) atlas.pixels = await openSheet(atlas.sheet, shape);
}

/**
 * What came along in this file, where it is less than the whole.
 * @param {HTMLElement} root
 * @param {Explorer} app
 */
function tellWhatCame(root, { header, model, text, count }) {
  const { pictures } = header;
  const lines = [
    model.decodedPoints && text("file_atlas", { count: model.decodedPoints }),
    pictures && pictures.ids.length < count && text("file_pictures", { count: pictures.ids.length, all: count }),
    pictures?.sheet?.type === "image/jpeg" && text("file_jpeg"),
  ].filter((line) => line);
  if (lines.length) root.after(make("footer", { lang: header.language }, lines.join(" ")));
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
