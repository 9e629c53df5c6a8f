import { print } from "../shared/dom.js";
import { LEAST_HANDLE, paintGround, paintHandles, paintMean, paintName, paintNormal, paintPosterior } from "./stage.js";

/**
 * The two views of the plane: the posterior under the magnifier, and where that is on the map.
 * @typedef {import("../shared/viewport.js").Viewport} Viewport
 * @typedef {import("./lens.js").Lens} Lens
 */

/**
 * The posterior close up, with q in the visitor's hand and the normals that it is held against.
 * @param {Lens} lens
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 */
export function paintStage(lens, context, view) {
  const { theme, text, q, encoder, refined, playing, who } = lens;
  paintGround(context, view, lens, { size: 3, strength: 0.3 });
  paintPosterior(context, view, lens);
  if (who !== "encoder") {
    paintNormal(context, view, encoder, theme.muted, { dashed: true, width: 1.2 });
    paintName(context, view, theme, encoder, text("name_encoder"), theme.muted, -10);
  }
  if (refined && !playing) {
    paintNormal(context, view, refined.full, theme.ink, { dashed: true, width: 1.1 });
  }
  paintName(context, view, theme, lens.lowest, "p(z|x)", theme.z, 20);
  paintNormal(context, view, q, theme.sigma, { width: 2.2 });
  paintMean(context, view, q, theme.mu, 3.5);
  if (!playing) paintHandles(context, view, theme, q);
  paintName(context, view, theme, q, who === "encoder" ? "q(z|x)" : text("name_q"), theme.sigma, -14, LEAST_HANDLE);
  const times = view.scale / (lens.map.view.scale || 1);
  lens.magnified.textContent = text("stage_hint", { times: print(times, times < 10 ? 1 : 0) });
}

/**
 * The whole map, with a frame around what is under the magnifier.
 * @param {Lens} lens
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 */
export function paintMap(lens, context, view) {
  const { theme, q } = lens;
  paintGround(context, view, lens, { size: 1.5, strength: 0.5 });
  paintPosterior(context, view, lens);
  paintNormal(context, view, q, theme.sigma, { width: 1.4 });
  paintMean(context, view, q, theme.mu, 2);
  const { left, right, top, bottom } = lens.stage.view.edges();
  context.strokeStyle = theme.ink;
  context.lineWidth = 1.2;
  context.strokeRect(view.toScreenX(left), view.toScreenY(top), (right - left) * view.scale, (top - bottom) * view.scale);
}
