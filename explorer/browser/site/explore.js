import { standAlone } from "../map/alone.js";
import { readPayload } from "../shared/payload.js";
import { loadBytes, words, workerSource } from "./data.js";
import { frame, tellFailure } from "./frame.js";

/** A model's map as a page of a site; the models of its sweep follow once it stands. */
export async function start() {
  const root = document.getElementById("explorer");
  if (!root) throw new Error("This document has no place for a map.");
  frame();
  try {
    const header = readPayload(await loadBytes(root.dataset.source ?? ""));
    header.text = words();
    header.language = document.documentElement.lang;
    root.replaceChildren();
    const app = await standAlone(root, header, workerSource());
    for (const source of (root.dataset.members ?? "").split(" ").filter(Boolean)) {
      app.addMember(readPayload(await loadBytes(source)));
    }
    root.dataset.ready = "true";
  } catch (error) {
    tellFailure(root, error);
  }
}

start();
