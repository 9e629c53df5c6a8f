import { print } from "./dom.js";
import { priorMass } from "./special.js";

/**
 * What lies on the latent plane and does not move with the pointer: axes and the prior.
 * @typedef {import("./theme.js").Theme} Theme
 * @typedef {import("./viewport.js").Viewport} Viewport
 */

/** Pixels that nobody sees. */
const ROUNDING = 0.01;
const TICKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

/**
 * Axes through 0 with ticks, named by their latents.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {string[]} names
 */
export function paintAxes(context, view, theme, names) {
  const [x0, y0] = [view.toScreenX(0), view.toScreenY(0)];
  const step = TICKS.find((size) => size * view.scale >= 52) ?? 100;
  const decimals = step < 1 ? Math.ceil(-Math.log10(step)) : 0;
  const edges = view.edges();
  // An axis that is out of sight leaves its numbers at the edge.
  const labelY = Math.min(view.height - 6, Math.max(24, y0 + 13));
  const labelX = Math.min(view.width - 28, Math.max(6, x0 + 5));
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, Math.round(y0) + 0.5);
  context.lineTo(view.width, Math.round(y0) + 0.5);
  if (names.length > 1) {
    context.moveTo(Math.round(x0) + 0.5, 0);
    context.lineTo(Math.round(x0) + 0.5, view.height);
  }
  context.stroke();
  context.font = `10.5px ${theme.font}`;
  context.fillStyle = theme.muted;
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  for (let n = Math.ceil(edges.left / step); n * step <= edges.right; n++) {
    if (n === 0 || view.toScreenX(n * step) > view.width - 34) continue;
    halo(context, theme, print(n * step, decimals), view.toScreenX(n * step), labelY);
    context.fillRect(view.toScreenX(n * step), y0 - 2, 1, 4);
  }
  context.textAlign = "left";
  for (let n = Math.ceil(edges.bottom / step); names.length > 1 && n * step <= edges.top; n++) {
    if (n === 0 || view.toScreenY(n * step) < 22) continue;
    halo(context, theme, print(n * step, decimals), labelX, view.toScreenY(n * step) + 4);
    context.fillRect(x0 - 2, view.toScreenY(n * step), 4, 1);
  }
  context.textAlign = "right";
  context.font = `italic 12px ${theme.font}`;
  halo(context, theme, names[0], view.width - 8, Math.min(view.height - 8, Math.max(14, y0 - 6)));
  context.textAlign = "left";
  if (names.length > 1) halo(context, theme, names[1], Math.min(view.width - 24, Math.max(6, x0 + 6)), 14);
}

/**
 * Text with a rim of the surface's colour, legible on anything.
 * @param {CanvasRenderingContext2D} context
 * @param {Theme} theme
 * @param {string} label
 * @param {number} x
 * @param {number} y
 * @param {number} [width] of the rim, in pixels
 */
export function halo(context, theme, label, x, y, width = 3) {
  context.lineJoin = "round";
  context.lineWidth = width;
  context.strokeStyle = theme.surface;
  context.strokeText(label, x, y);
  context.fillText(label, x, y);
}

/**
 * Circles of 1, 2, 3 prior standard deviations around 0 (lines for a single latent), each with the
 * mass that it holds: 39, 86 and 99 % in two dimensions.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {number} dimensions
 */
export function paintRings(context, view, theme, dimensions) {
  const [x0, y0] = [view.toScreenX(0), view.toScreenY(0)];
  context.strokeStyle = theme.gap;
  context.fillStyle = theme.muted;
  context.font = `10.5px ${theme.font}`;
  context.textAlign = "center";
  for (const radius of [1, 2, 3]) {
    const size = radius * view.scale;
    context.lineWidth = 1.1;
    context.setLineDash([4, 4]);
    context.beginPath();
    if (dimensions === 1) {
      for (const side of [-1, 1]) {
        context.moveTo(x0 + side * size, 0);
        context.lineTo(x0 + side * size, view.height);
      }
    } else if (size < 1e5) context.arc(x0, y0, size, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
    const mass = 100 * priorMass(radius, dimensions);
    const label = `${mass.toFixed(mass > 99.5 ? 1 : 0)} %`;
    const angle = dimensions === 1 ? 0 : 0.76;
    const y = dimensions === 1 ? 14 : y0 - size * Math.sin(angle);
    halo(context, theme, label, x0 + size * Math.cos(angle), y + 4);
    context.strokeStyle = theme.gap;
  }
}

/**
 * The normals of a learned mixture: ellipses of 1 and 2 standard deviations (lines for a single
 * latent), the firmer the more weight a normal has.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {{weight: number, mean: ArrayLike<number>, scale: ArrayLike<number>}[]} components
 * @param {number[]} dims the latents on the axes
 */
export function paintComponents(context, view, theme, components, dims) {
  const [a, b] = dims;
  const most = Math.max(...components.map(({ weight }) => weight));
  context.strokeStyle = theme.gap;
  for (const { weight, mean, scale } of components) {
    context.globalAlpha = 0.3 + (0.7 * weight) / most;
    const x = view.toScreenX(mean[a]);
    for (const radius of [1, 2]) {
      context.lineWidth = radius === 1 ? 1.6 : 1.1;
      context.setLineDash(radius === 1 ? [] : [4, 4]);
      context.beginPath();
      if (b === undefined) {
        for (const side of [-1, 1]) {
          context.moveTo(x + side * radius * scale[a] * view.scale, 0);
          context.lineTo(x + side * radius * scale[a] * view.scale, view.height);
        }
      } else {
        const [rx, ry] = [radius * scale[a] * view.scale, radius * scale[b] * view.scale];
        context.ellipse(x, view.toScreenY(mean[b]), rx, ry, 0, 0, 2 * Math.PI);
      }
      context.stroke();
    }
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/**
 * Whether names of classes say where each of them lies: in a collapsed code all lie at one place, and
 * the last name would stand for all.
 * @param {{x: number, y: number}[]} places of the names on the screen
 * @param {number} size of a name, in the same pixels
 */
export function lieApart(places, size) {
  const far = (/** @type {number[]} */ values) => Math.max(...values) - Math.min(...values);
  return places.length < 2 || far(places.map(({ x }) => x)) > size || far(places.map(({ y }) => y)) > size;
}

/**
 * Where names stand of which none covers another: each as near to its own height as those before it allow.
 * @template {{x: number, y: number, width: number}} Place
 * @param {Place[]} places of their middles, on the screen
 * @param {number} height of a name, in the same pixels
 * @returns {Place[]}
 */
export function stepAside(places, height) {
  /** @type {Place[]} */
  const placed = [];
  for (const place of places) {
    const beside = placed.filter(({ x, width }) => Math.abs(x - place.x) < (width + place.width) / 2);
    const free = [place.y, ...beside.flatMap(({ y }) => [y - height, y + height])]
      .filter((at) => beside.every(({ y }) => Math.abs(y - at) > height - ROUNDING))
      .sort((a, b) => Math.abs(a - place.y) - Math.abs(b - place.y));
    placed.push({ ...place, y: free[0] });
  }
  return placed;
}
