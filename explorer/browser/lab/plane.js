import { print } from "../shared/dom.js";

/**
 * The plane of rate (KL) and distortion (reconstruction): a point a model, the chosen one larger.
 * Dotted lines join what has the same ELBO; the line through the chosen point has slope −β.
 * @typedef {object} Plane
 * @property {{place: [number, number], mark: string, isOnLine: boolean}[]} points
 * @property {[number, number]} hand where the hand stands, between two models too
 * @property {number | null} slope β of the chosen model; null between two models
 * @property {{rates: number[], distortions: number[]} | null} theory of the best linear model
 * @property {Bounds} bounds
 * @property {{rate: string, distortion: string, theory: string}} words
 *
 * @typedef {{right: number, low: number, high: number}} Bounds
 */

const [LEFT, BOTTOM, TOP, RIGHT] = [12, 34, 20, 10];
/** Pixels from one level of the ELBO to the next, about. */
const LEVEL = 42;

/**
 * What the plane shows: where the models end; the film comes in from outside.
 * @param {[number, number][]} ends
 * @returns {Bounds}
 */
export function boundsOf(ends) {
  const [rates, distortions] = [ends.map(([rate]) => rate), ends.map(([, distortion]) => distortion)];
  const [low, high] = [Math.min(...distortions), Math.max(...distortions)];
  const margin = Math.max(1, 0.12 * (high - low));
  return { right: Math.max(1, 1.14 * Math.max(...rates)), low: low - margin, high: high + margin };
}

/**
 * Where a point of the plane lies on a canvas; what is outside lies at its edge.
 * @param {Bounds} bounds
 * @param {number} width
 * @param {number} height
 * @returns {(place: [number, number]) => [number, number]}
 */
export function project({ right, low, high }, width, height) {
  return ([rate, distortion]) => {
    const x = LEFT + ((width - LEFT - RIGHT) * Math.min(Math.max(rate, 0), right)) / right;
    const part = (Math.min(Math.max(distortion, low), high) - low) / (high - low);
    return [x, height - BOTTOM - (height - BOTTOM - TOP) * part];
  };
}

/**
 * @param {CanvasRenderingContext2D} context a clear one
 * @param {number} width
 * @param {number} height
 * @param {Plane} plane
 * @param {CSSStyleDeclaration} style has the roles' colours
 */
export function drawPlane(context, width, height, plane, style) {
  /** @param {string} role */
  const colour = (role) => style.getPropertyValue(`--role-${role}`);
  const at = project(plane.bounds, width, height);
  context.save();
  context.beginPath();
  context.rect(LEFT, 0, width - LEFT, height - BOTTOM);
  context.clip();
  const places = plane.points.map((point) => at(point.place));
  drawLevels(context, plane.bounds, at, places, colour("gap"), colour("caption"), height / LEVEL);
  if (plane.theory) {
    const { rates, distortions } = plane.theory;
    trace(context, rates.map((rate, i) => at([rate, distortions[i]])), colour("sigma"), [6, 4]);
  }
  const line = plane.points.filter((point) => point.isOnLine).map((point) => at(point.place));
  trace(context, line, colour("beta"), []);
  if (plane.slope !== null) {
    const reach = 0.25 * plane.bounds.right;
    const [x, y] = plane.hand;
    const ends = [-reach, reach].map((far) => plain(plane.bounds, width, height, [x + far, y - (plane.slope ?? 0) * far]));
    trace(context, ends, colour("text"), [], 2);
  }
  context.restore();
  drawAxes(context, width, height, plane, colour);
  drawPoints(context, width, plane, at, colour);
}

/** As `project`, outside of the plane too. @param {Bounds} bounds @param {number} width @param {number} height @param {[number, number]} place @returns {[number, number]} */
function plain({ right, low, high }, width, height, [rate, distortion]) {
  return [
    LEFT + ((width - LEFT - RIGHT) * rate) / right,
    height - BOTTOM - ((height - BOTTOM - TOP) * (distortion - low)) / (high - low),
  ];
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Bounds} bounds
 * @param {(place: [number, number]) => [number, number]} at
 * @param {[number, number][]} places of the points, whose marks go before a level's value
 * @param {string} line
 * @param {string} ink
 * @param {number} count of levels, about
 */
function drawLevels(context, { right, low, high }, at, places, line, ink, count) {
  const step = niceStep((high + right - low) / count);
  context.font = "11px sans-serif";
  context.textAlign = "right";
  context.fillStyle = ink;
  for (let level = Math.ceil(low / step) * step; level < high + right; level += step) {
    const start = Math.max(0, level - high);
    const end = Math.min(right, level - low);
    if (start >= end) continue;
    trace(context, [at([start, level - start]), at([end, level - end])], line, [2, 4]);
    if (end < right) continue;
    const [x, y] = at([right, level - right]);
    const isFree = places.every(([u, v]) => Math.abs(u - x) > 60 || Math.abs(v - y) > 16);
    if (isFree) context.fillText(print(-level, 0), x, y - 4);
  }
}

/** @param {number} rough */
export function niceStep(rough) {
  const size = 10 ** Math.floor(Math.log10(rough));
  return size * (rough / size < 1.5 ? 1 : rough / size < 3.5 ? 2 : rough / size < 7.5 ? 5 : 10);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number][]} way
 * @param {string} colour
 * @param {number[]} dash
 * @param {number} [width]
 */
function trace(context, way, colour, dash, width = 1) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  for (const place of way) context.lineTo(...place);
  context.stroke();
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {Plane} plane
 * @param {(role: string) => string} colour
 */
function drawAxes(context, width, height, { bounds, words, theory }, colour) {
  context.strokeStyle = colour("gap");
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(LEFT, TOP - 6);
  context.lineTo(LEFT, height - BOTTOM);
  context.lineTo(width, height - BOTTOM);
  context.stroke();
  context.fillStyle = colour("caption");
  context.font = "12px sans-serif";
  context.textAlign = "right";
  context.fillText(words.rate, width - 2, height - 4);
  context.textAlign = "left";
  context.fillText(words.distortion, LEFT + 6, 11);
  context.textAlign = "center";
  const step = niceStep(bounds.right / 5);
  for (let rate = 0; rate <= bounds.right; rate += step) {
    const [x] = plain(bounds, width, height, [rate, bounds.low]);
    context.fillText(String(+rate.toPrecision(3)), x, height - BOTTOM + 14);
  }
  context.textAlign = "left";
  if (!theory) return;
  context.fillStyle = colour("sigma");
  context.textAlign = "right";
  context.fillText(words.theory, width - 4, 11);
  context.textAlign = "left";
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {Plane} plane
 * @param {(place: [number, number]) => [number, number]} at
 * @param {(role: string) => string} colour
 */
function drawPoints(context, width, { points, hand, slope }, at, colour) {
  /** @type {[number, number][]} */
  const written = [at(hand)];
  context.font = "12px sans-serif";
  for (const { place, mark, isOnLine } of points) {
    const [x, y] = at(place);
    context.globalAlpha = isOnLine ? 1 : 0.3;
    disc(context, x, y, 4.5, colour("beta"), colour("ground"));
    const isFree = written.every(([u, v]) => Math.abs(u - x) > 8 + 6 * mark.length || Math.abs(v - y) > 15);
    if (!isOnLine || !isFree) continue;
    context.fillStyle = colour("text");
    const size = context.measureText(mark).width;
    context.fillText(mark, x + 8 + size > width ? x - 8 - size : x + 8, y - 5);
    written.push([x, y]);
  }
  context.globalAlpha = 1;
  const [x, y] = at(hand);
  if (slope === null) disc(context, x, y, 8, colour("ground"), colour("beta"), 3);
  else disc(context, x, y, 9, colour("beta"), colour("ground"), 2);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {string} fill
 * @param {string} edge
 * @param {number} [width]
 */
function disc(context, x, y, radius, fill, edge, width = 1) {
  context.fillStyle = fill;
  context.strokeStyle = edge;
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}
