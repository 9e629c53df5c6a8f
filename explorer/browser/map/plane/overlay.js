import { halo } from "../../shared/marks.js";
import { classColour } from "../../shared/theme.js";
import { drawGlyph } from "./glyphs.js";

/**
 * What moves with the hand: the posterior ellipse, pins, path, selection outline, the cursor.
 * @typedef {import("../../shared/viewport.js").Viewport} Viewport
 * @typedef {import("../../shared/theme.js").Theme} Theme
 * @typedef {import("../geometry/nearest.js").PointIndex} PointIndex
 * @typedef {{x: number, y: number, sx: number, sy: number}} Posterior in the plane's units
 * @typedef {{x: number, y: number, rx: number, ry: number}} Ellipse on the screen
 */

const INSET = 108;
const MARGIN = 12;

/**
 * q(z|x) at true scale: ellipses of one and two standard deviations, axis-parallel because q is.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {Posterior} posterior
 * @returns {Ellipse} one standard deviation
 */
export function paintPosterior(context, view, theme, posterior) {
  const ellipse = ellipseOf(view, posterior);
  context.strokeStyle = theme.sigma;
  for (const [times, width] of [[2, 1], [1, 1.6]]) {
    context.lineWidth = width;
    context.beginPath();
    context.ellipse(ellipse.x, ellipse.y, ellipse.rx * times, ellipse.ry * times, 0, 0, 2 * Math.PI);
    context.stroke();
  }
  context.fillStyle = theme.mu;
  disc(context, ellipse.x, ellipse.y, 1.6);
  return ellipse;
}

/**
 * Where one standard deviation of the posterior lies on the screen, in pixels.
 * @param {Viewport} view
 * @param {Posterior} posterior
 * @returns {Ellipse}
 */
export function ellipseOf(view, { x, y, sx, sy }) {
  return {
    x: view.toScreenX(x),
    y: view.toScreenY(y),
    rx: sx * view.scale,
    ry: sy * view.scale,
  };
}

/**
 * How much the inset must magnify to make the ellipse readable: a power of two.
 * @param {Ellipse} ellipse
 * @param {number} size
 */
export function insetMagnification({ rx, ry }, size) {
  const wanted = (0.21 * size) / Math.max(rx, ry, 1e-6);
  return 2 ** Math.max(0, Math.min(14, Math.floor(Math.log2(wanted * 1.12))));
}

/**
 * The surroundings of the ellipse, magnified, with a line that leads there.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {{posterior: Posterior, index: PointIndex | null, labels: ArrayLike<number> | null,
 *   hidden: Set<number>, label: string}} scene
 */
export function paintInset(context, view, theme, { posterior, index, labels, hidden, label }) {
  const ellipse = ellipseOf(view, posterior);
  const size = Math.min(INSET, view.height * 0.34, view.width * 0.25);
  const times = insetMagnification(ellipse, size);
  if (times < 2) return;
  // The corner that is farthest from the ellipse's own quadrant, low ones first.
  const right = ellipse.x < view.width - size - 60 || ellipse.y < view.height - size - 60;
  const left = right ? view.width - size - MARGIN : MARGIN;
  const top = view.height - size - MARGIN;
  const [cx, cy] = [left + size / 2, top + size / 2];
  context.strokeStyle = theme.sigma;
  context.lineWidth = 0.7;
  context.globalAlpha = 0.7;
  context.beginPath();
  context.moveTo(ellipse.x, ellipse.y);
  context.lineTo(right ? left : left + size, top + size * 0.14);
  context.stroke();
  context.globalAlpha = 1;
  context.save();
  context.beginPath();
  context.roundRect(left, top, size, size, 5);
  context.fillStyle = theme.surface;
  context.fill();
  context.clip();
  const scale = view.scale * times;
  const reach = size / 2 / scale;
  context.globalAlpha = 0.65;
  paintNeighbours(context, index, posterior, reach * 1.1, hidden, labels, (x, y) => [
    cx + (x - posterior.x) * scale,
    cy - (y - posterior.y) * scale,
  ]);
  context.globalAlpha = 1;
  context.strokeStyle = theme.sigma;
  for (const [factor, width] of [[2, 1.4], [1, 2]]) {
    context.lineWidth = width;
    context.beginPath();
    context.ellipse(cx, cy, posterior.sx * scale * factor, posterior.sy * scale * factor, 0, 0, 2 * Math.PI);
    context.stroke();
  }
  context.fillStyle = theme.mu;
  disc(context, cx, cy, 2.4);
  context.font = `10.5px ${theme.font}`;
  context.textAlign = "left";
  context.fillStyle = theme.muted;
  halo(context, theme, `${label}, ${times}×`, left + 7, top + size - 8);
  context.restore();
  context.strokeStyle = theme.sigma;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(left, top, size, size, 5);
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {PointIndex | null} index
 * @param {{x: number, y: number}} middle
 * @param {number} reach
 * @param {Set<number>} hidden
 * @param {ArrayLike<number> | null} labels
 * @param {(x: number, y: number) => [number, number]} place on the screen
 */
function paintNeighbours(context, index, { x, y }, reach, hidden, labels, place) {
  if (!index) return;
  const { starts, order, side, xs, ys } = index;
  for (let row = index.row(y - reach); row <= index.row(y + reach); row++) {
    for (let column = index.column(x - reach); column <= index.column(x + reach); column++) {
      const at = row * side + column;
      for (let n = starts[at]; n < starts[at + 1]; n++) {
        const i = order[n];
        const label = labels ? labels[i] : 0;
        if (hidden.has(label) || Math.abs(xs[i] - x) > reach || Math.abs(ys[i] - y) > reach) continue;
        context.fillStyle = classColour(label);
        drawGlyph(context, 0, ...place(xs[i], ys[i]), 3.2);
      }
    }
  }
}

/**
 * The point that is decoded: a ring, so that what lies in it stays visible; heavier when held.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {number} x
 * @param {number} y
 * @param {boolean} held
 */
export function paintCursor(context, view, theme, x, y, held) {
  const [sx, sy] = [view.toScreenX(x), view.toScreenY(y)];
  for (const { colour, width } of [
    { colour: theme.surface, width: held ? 5.5 : 4 },
    { colour: theme.z, width: held ? 2.6 : 1.6 },
  ]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(sx, sy, held ? 7.5 : 6, 0, 2 * Math.PI);
    context.stroke();
  }
}

/**
 * Pins A, B, C, …
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {{x: number, y: number, name: string}[]} pins
 */
export function paintPins(context, view, theme, pins) {
  context.textAlign = "center";
  for (const { x, y, name } of pins) {
    const [sx, sy] = [view.toScreenX(x), view.toScreenY(y)];
    context.fillStyle = theme.ink;
    context.beginPath();
    context.moveTo(sx, sy);
    context.arc(sx, sy - 15, 8, 0.75 * Math.PI, 0.25 * Math.PI);
    context.closePath();
    context.fill();
    context.lineWidth = 1.2;
    context.strokeStyle = theme.surface;
    context.stroke();
    context.font = `700 10px ${theme.font}`;
    context.fillStyle = theme.surface;
    context.fillText(name, sx, sy - 11.5);
  }
}

/**
 * The frames of an interpolation, each a dot, the current one larger.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {number[][]} points
 * @param {number} current
 */
export function paintPath(context, view, theme, points, current) {
  if (points.length < 2) return;
  context.strokeStyle = theme.z;
  context.lineWidth = 2;
  context.beginPath();
  points.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](view.toScreenX(x), view.toScreenY(y)));
  context.stroke();
  points.forEach(([x, y], i) => {
    context.fillStyle = i === current ? theme.z : theme.surface;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(view.toScreenX(x), view.toScreenY(y), i === current ? 4.5 : 2.6, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  });
}

/**
 * The outline of a lasso or box, in screen pixels.
 * @param {CanvasRenderingContext2D} context
 * @param {Theme} theme
 * @param {number[][]} outline
 */
export function paintOutline(context, theme, outline) {
  if (outline.length < 2) return;
  context.beginPath();
  outline.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x, y));
  context.closePath();
  context.globalAlpha = 0.12;
  context.fillStyle = theme.z;
  context.fill();
  context.globalAlpha = 1;
  context.setLineDash([5, 4]);
  context.lineWidth = 1.4;
  context.strokeStyle = theme.z;
  context.stroke();
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
function disc(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
