import { standAlone } from "../map/alone.js";
import { readPayload } from "../shared/payload.js";
import { loadBytes, workerSource } from "./data.js";
import { open } from "./frame.js";

/** A model's map as a page of a site; the models of its sweep follow once it stands. */
open("explorer", async (root, header) => {
  const app = await standAlone(root, header, workerSource());
  for (const source of (root.dataset.members ?? "").split(" ").filter(Boolean)) {
    app.addMember(readPayload(await loadBytes(source)));
  }
});
