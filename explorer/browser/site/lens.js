import { Lens } from "../lens/lens.js";
import { readPayload } from "../shared/payload.js";
import { loadBytes, words } from "./data.js";
import { frame, tellFailure } from "./frame.js";

/** One image under the lens as a page of a site: the best normals were found beforehand. */
export async function start() {
  const root = document.getElementById("lens");
  if (!root) throw new Error("This document has no place for a lens.");
  frame();
  try {
    const header = readPayload(await loadBytes(root.dataset.source ?? ""));
    header.text = words();
    header.language = document.documentElement.lang;
    root.replaceChildren();
    const lens = new Lens(root, header, { refine: () => lens.receive(header.refined) });
    Object.assign(root, { lens });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => lens.refreshTheme());
    root.dataset.ready = "true";
  } catch (error) {
    tellFailure(root, error);
  }
}

start();
