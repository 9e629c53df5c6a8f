import { Lens } from "../lens/lens.js";
import { open } from "./frame.js";

/** One image under the lens as a page of a site: the best normals were found beforehand. */
open("lens", (root, header) => {
  const lens = new Lens(root, header, { refine: () => lens.receive(header.refined) });
  Object.assign(root, { lens });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => lens.refreshTheme());
});
