import { make } from "../shared/dom.js";
import { openSheet } from "../shared/sheet.js";
import { Explorer } from "./explorer.js";

/**
 * The map of a page without a server: nobody listens, and whatever it needs has come along.
 * @param {HTMLElement} root
 * @param {import("../model/header.js").Header} header
 * @param {string} worker the source of the worker: a file has no address to load one from
 */
export async function standAlone(root, header, worker) {
  await openSheets(header);
  /** @type {import("./scene/app.js").Host} */
  const host = { kind: "file", startWorker: () => startWorker(worker), setState: () => {}, trigger: () => {} };
  const app = new Explorer(root, header, host);
  Object.assign(root, { explorer: app });
  tellWhatCame(root, app);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.refreshTheme());
  return app;
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

/** @param {string} source */
function startWorker(source) {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(address);
  worker.addEventListener("error", () => URL.revokeObjectURL(address), { once: true });
  return worker;
}
