/**
 * What a lasso or a box holds, in numbers.
 * @typedef {object} Spread of one latent, in the selection and in the rest
 * @property {number} mean
 * @property {number} deviation
 * @property {number} restMean
 * @property {number} restDeviation
 *
 * @typedef {{indices: number[], counts: Map<number, number>, latents: Spread[]}} Summary
 */

/**
 * Indices of the points inside an outline (even–odd rule).
 * @param {Float32Array} xs
 * @param {Float32Array} ys
 * @param {number[][]} outline
 * @param {(index: number) => boolean} accept
 */
export function insideOutline(xs, ys, outline, accept) {
  const [left, right] = extent(outline, 0);
  const [bottom, top] = extent(outline, 1);
  const indices = [];
  for (let i = 0; i < xs.length; i++) {
    const [x, y] = [xs[i], ys[i]];
    if (x < left || x > right || y < bottom || y > top || !accept(i)) continue;
    let inside = false;
    for (let a = 0, b = outline.length - 1; a < outline.length; b = a++) {
      const [xa, ya] = outline[a];
      const [xb, yb] = outline[b];
      if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) inside = !inside;
    }
    if (inside) indices.push(i);
  }
  return indices;
}

/**
 * @param {number[][]} outline
 * @param {number} axis
 */
function extent(outline, axis) {
  const values = outline.map((corner) => corner[axis]);
  return [Math.min(...values), Math.max(...values)];
}

/**
 * One per code that is among `indices`, else zero.
 * @param {number[]} indices
 * @param {number} count
 */
export function maskOf(indices, count) {
  const mask = new Uint8Array(count);
  for (const i of indices) mask[i] = 1;
  return mask;
}

/**
 * Counts per class, and mean and standard deviation per latent, of the selection and of the rest.
 * @param {{codes: Float32Array, size: number, count: number, labels: ArrayLike<number> | null}} data
 * @param {number[]} indices
 * @returns {Summary}
 */
export function summarise({ codes, size, count, labels }, indices) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  if (labels) for (const i of indices) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  const chosen = moments(codes, size, indices);
  const all = moments(codes, size, Array.from({ length: count }, (_, i) => i));
  const others = count - indices.length;
  const latents = Array.from({ length: size }, (_, d) => {
    const restSum = all.sums[d] - chosen.sums[d];
    const restSquares = all.squares[d] - chosen.squares[d];
    return {
      mean: chosen.sums[d] / indices.length,
      deviation: spread(chosen.sums[d], chosen.squares[d], indices.length),
      restMean: others ? restSum / others : NaN,
      restDeviation: spread(restSum, restSquares, others),
    };
  });
  return { indices, counts, latents };
}

/**
 * @param {Float32Array} codes
 * @param {number} size
 * @param {number[]} indices
 */
function moments(codes, size, indices) {
  const sums = new Float64Array(size);
  const squares = new Float64Array(size);
  for (const i of indices) {
    for (let d = 0; d < size; d++) {
      const value = codes[i * size + d];
      sums[d] += value;
      squares[d] += value * value;
    }
  }
  return { sums, squares };
}

/**
 * @param {number} sum
 * @param {number} squares
 * @param {number} count
 */
const spread = (sum, squares, count) =>
  count > 1 ? Math.sqrt(Math.max(0, (squares - (sum * sum) / count) / (count - 1))) : NaN;

/**
 * A cell that a spreadsheet takes as text: one that would be a formula gets an apostrophe before it.
 * @param {string} value
 */
const asText = (value) => (/^[=+\-@\t\r]/.test(value) && !Number.isFinite(Number(value)) ? `'${value}` : value);

/**
 * Codes of the selection as CSV: id, class, z1 … zK.
 * @param {{size: number, labels: ArrayLike<number> | null, header: {classes: string[]},
 *   idOf: (index: number) => number, codeAt: (index: number) => Float32Array}} app
 * @param {number[]} indices
 */
export function selectionCsv(app, indices) {
  const names = Array.from({ length: app.size }, (_, d) => `z${d + 1}`);
  /** @param {string} value */
  const quote = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = [["id", "class", ...names].join(",")];
  for (const i of indices) {
    const label = app.labels ? quote(asText(app.header.classes[app.labels[i]] ?? String(app.labels[i]))) : "";
    lines.push([app.idOf(i), label, ...app.codeAt(i)].join(","));
  }
  return `${lines.join("\n")}\n`;
}
