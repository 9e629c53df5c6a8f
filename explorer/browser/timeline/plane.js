import { joinNames, placeNames } from "./names.js";

/**
 * The plane of Var μ (to the right) and mean σ² (upwards) of the latents at one moment. At an
 * optimum they sum to 1, the dotted line: what sleeps lies at its upper left end, the prior.
 * @typedef {{var_mean: number[], mean_var: number[], kl: number[]}} Measures
 */

const [LEFT, RIGHT, TOP, BOTTOM] = [34, 12, 18, 30];
const SIZE = 4.5;
const TICKS = [0, 0.5, 1];
/** More names than these are a cloud. */
const MOST_NAMED = 12;

/**
 * @param {CanvasRenderingContext2D} context a clear one
 * @param {number} width
 * @param {number} height
 * @param {{measures: Measures, span: number, names: string[], dead: number, words: Record<string, string>}} scene
 *   `span` is the largest value that either axis shows
 * @param {CSSStyleDeclaration} style has the roles' colours
 */
export function drawPlane(context, width, height, { measures, span, names, dead, words }, style) {
  /** @param {string} role */
  const colour = (role) => style.getPropertyValue(`--role-${role}`);
  const [across, up] = [width - LEFT - RIGHT, height - TOP - BOTTOM];
  /** @param {number} value */
  const x = (value) => LEFT + (across * Math.min(value, span)) / span;
  /** @param {number} value */
  const y = (value) => TOP + up * (1 - Math.min(value, span) / span);
  context.font = `11px ${style.fontFamily}`;
  context.textBaseline = "middle";
  context.lineWidth = 1;
  context.strokeStyle = colour("grid");
  context.fillStyle = colour("caption");
  context.strokeRect(LEFT - 0.5, TOP + 0.5, across, up);
  for (const tick of TICKS) {
    context.textAlign = "center";
    context.fillText(String(tick), x(tick), height - BOTTOM + 10);
    context.textAlign = "right";
    context.fillText(String(tick), LEFT - 6, y(tick));
  }
  context.textAlign = "right";
  context.fillText(words.var_mean, width - RIGHT, height - 7);
  context.textAlign = "left";
  context.fillText(words.mean_var, 2, 7);
  context.strokeStyle = colour("gap");
  context.setLineDash([2, 4]);
  context.beginPath();
  context.moveTo(x(0), y(1));
  context.lineTo(x(1), y(0));
  context.stroke();
  context.setLineDash([]);
  const points = measures.kl.map((kl, index) => ({
    name: names[index], x: x(measures.var_mean[index]), y: y(measures.mean_var[index]), asleep: kl < dead,
  }));
  for (const point of points) drawMark(context, point, colour(point.asleep ? "kl" : "latent"));
  if (points.length > MOST_NAMED) return;
  const frame = { left: LEFT, right: width - RIGHT, top: TOP, bottom: height - BOTTOM };
  const groups = joinNames(points);
  context.textAlign = "left";
  for (const { text, at, point } of placeNames(groups, frame, (name) => context.measureText(name).width)) {
    context.strokeStyle = colour("caption");
    context.beginPath();
    context.moveTo(point.x, point.y);
    context.lineTo(at.near, at.y);
    if (at.leads) context.stroke();
    context.fillStyle = colour("text");
    context.fillText(text, at.x, at.y);
  }
}

/** A cross for what sleeps, else a disc. @param {CanvasRenderingContext2D} context @param {{x: number, y: number, asleep: boolean}} point @param {string} colour */
function drawMark(context, { x, y, asleep }, colour) {
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = asleep ? 2 : 1;
  context.beginPath();
  if (!asleep) context.arc(x, y, SIZE, 0, 2 * Math.PI);
  for (const way of asleep ? [1, -1] : []) {
    context.moveTo(x - SIZE, y - way * SIZE);
    context.lineTo(x + SIZE, y + way * SIZE);
  }
  if (asleep) context.stroke();
  else context.fill();
  context.lineWidth = 1;
}
