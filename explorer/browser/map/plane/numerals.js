import { halo, lieApart, stepAside } from "../../shared/marks.js";

/**
 * A numeral (or name) at the median of each class; those that would collide step aside.
 * @typedef {{label: number, x: number, y: number}} Median
 *
 * @param {CanvasRenderingContext2D} context
 * @param {import("../../shared/viewport.js").Viewport} view
 * @param {import("../../shared/theme.js").Theme} theme
 * @param {Median[]} medians
 * @param {string[]} names
 * @param {Set<number>} hidden
 * @param {number} size in pixels
 */
export function paintNumerals(context, view, theme, medians, names, hidden, size) {
  context.font = `700 ${size}px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = theme.ink;
  const shown = medians
    .filter(({ label }) => !hidden.has(label))
    .map(({ label, x, y }) => {
      const name = names[label] ?? String(label);
      return { name, x: view.toScreenX(x), y: view.toScreenY(y), width: context.measureText(name).width };
    });
  for (const { name, x, y } of lieApart(shown, size) ? stepAside(shown, size * 0.85) : []) {
    halo(context, theme, name, x, y, size * 0.26);
  }
  context.textBaseline = "alphabetic";
}

/**
 * The median of each class on the map.
 * @param {{xs: Float32Array, ys: Float32Array}} points
 * @param {ArrayLike<number> | null} labels
 * @returns {Median[]}
 */
export function classMedians({ xs, ys }, labels) {
  if (!labels) return [];
  /** @type {Map<number, [number[], number[]]>} */
  const groups = new Map();
  const step = Math.max(1, Math.floor(xs.length / 100000));
  for (let i = 0; i < xs.length; i += step) {
    const group = groups.get(labels[i]) ?? [[], []];
    groups.set(labels[i], group);
    group[0].push(xs[i]);
    group[1].push(ys[i]);
  }
  /** @param {number[]} values */
  const median = (values) => Float32Array.from(values).sort()[values.length >> 1];
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([label, [x, y]]) => ({ label, x: median(x), y: median(y) }));
}
