import { broadcastPlaces, sizeOf } from "./layers/contract.js";
import { LAYERS } from "./layers/registry.js";

/**
 * A network, interpreted layer by layer; branches that meet again are networks of their own.
 * @typedef {import("./header.js").LayerHeader} LayerHeader
 * @typedef {import("./layers/contract.js").Layer} Layer
 * @typedef {object} Network
 * @property {number[]} inputShape
 * @property {number[]} outputShape
 * @property {number} multiplyAdds of one picture
 * @property {(x: Float32Array) => Float32Array} forward returns a buffer that its next call overwrites
 */

/**
 * @param {LayerHeader[]} descriptions the layers in order
 * @param {number[]} inputShape
 * @returns {Network}
 */
export function buildNetwork(descriptions, inputShape) {
  /** @type {{run: import("./layers/contract.js").Run, buffer: Float32Array | null}[]} */
  const steps = [];
  let shape = inputShape;
  let multiplyAdds = 0;
  for (const description of descriptions) {
    const make = JOINS[description.kind] ?? LAYERS[description.kind];
    if (!make) throw new Error(`Unknown layer "${description.kind}".`);
    const layer = make(description, shape);
    shape = layer.shape;
    if (!layer.run) continue;
    multiplyAdds += layer.multiplyAdds ?? sizeOf(shape);
    // The input belongs to the caller: the first step never writes into it.
    const inPlace = layer.inPlace && steps.length > 0;
    steps.push({ run: layer.run, buffer: inPlace ? null : new Float32Array(sizeOf(shape)) });
  }
  /** @param {Float32Array} input */
  const forward = (input) => {
    let x = input;
    for (const { run, buffer } of steps) {
      run(x, buffer ?? x);
      x = buffer ?? x;
    }
    return x;
  };
  return { inputShape, outputShape: shape, multiplyAdds, forward };
}

/**
 * What the branches put out, brought together by broadcasting: a residual block where the numbers
 * are added and one branch is empty, a gate where they are multiplied.
 * @param {(a: number, b: number) => number} combine
 * @param {number} start
 * @returns {import("./layers/contract.js").Maker}
 */
const meet = (combine, start) => ({ branches }, shape) => {
  const networks = buildBranches(branches, shape);
  const out = networks.map(({ outputShape }) => outputShape).reduce(broadcastShape);
  const places = networks.map(({ outputShape }) =>
    sizeOf(outputShape) === sizeOf(out) ? null : broadcastPlaces(outputShape, out),
  );
  /** @type {import("./layers/contract.js").Run} */
  const run = (x, y) => {
    y.fill(start);
    networks.forEach(({ forward }, n) => {
      const [values, from] = [forward(x), places[n]];
      for (let i = 0; i < y.length; i++) y[i] = combine(y[i], values[from ? from[i] : i]);
    });
  };
  return { shape: out, run, multiplyAdds: costOf(networks) + sizeOf(out) };
};

/**
 * What the branches put out, side by side along an axis.
 * @type {import("./layers/contract.js").Maker}
 */
function concat({ branches, axis }, shape) {
  const networks = buildBranches(branches, shape);
  const shapes = networks.map(({ outputShape }) => outputShape);
  const out = shapes[0].slice();
  out[axis] = shapes.reduce((sum, each) => sum + each[axis], 0);
  const row = sizeOf(out.slice(axis));
  /** @type {import("./layers/contract.js").Run} */
  const run = (x, y) => {
    let start = 0;
    networks.forEach(({ forward }, n) => {
      const values = forward(x);
      const size = sizeOf(shapes[n].slice(axis));
      for (let from = 0, to = start; from < values.length; from += size, to += row) {
        y.set(values.subarray(from, from + size), to);
      }
      start += size;
    });
  };
  return { shape: out, run, multiplyAdds: costOf(networks) + sizeOf(out) };
}

/**
 * What two branches put out as matrices, multiplied: attention is two of these.
 * @type {import("./layers/contract.js").Maker}
 */
function matmul({ branches }, shape) {
  const networks = buildBranches(branches, shape);
  const [first, second] = networks.map(({ outputShape }) => outputShape);
  const [rows, depth] = first.slice(-2);
  const columns = second[second.length - 1];
  const stack = broadcastShape(first.slice(0, -2), second.slice(0, -2));
  const [lefts, rights] = [first, second].map((own) => broadcastPlaces(own.slice(0, -2), stack));
  /** @type {import("./layers/contract.js").Run} */
  const run = (x, y) => {
    const [a, b] = networks.map(({ forward }) => forward(x));
    y.fill(0);
    for (let n = 0; n < lefts.length; n++) {
      for (let r = 0; r < rows; r++) {
        const to = (n * rows + r) * columns;
        for (let k = 0; k < depth; k++) {
          const v = a[(lefts[n] * rows + r) * depth + k];
          const from = (rights[n] * depth + k) * columns;
          for (let c = 0; c < columns; c++) y[to + c] += v * b[from + c];
        }
      }
    }
  };
  const products = lefts.length * rows * depth * columns;
  return { shape: [...stack, rows, columns], run, multiplyAdds: costOf(networks) + products };
}

/** @type {Record<string, import("./layers/contract.js").Maker>} */
const JOINS = { sum: meet((a, b) => a + b, 0), product: meet((a, b) => a * b, 1), concat, matmul };

/**
 * @param {LayerHeader[][]} branches
 * @param {number[]} shape
 */
const buildBranches = (branches, shape) => branches.map((layers) => buildNetwork(layers, shape));

/** @param {Network[]} networks */
const costOf = (networks) => networks.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function broadcastShape(a, b) {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) =>
    Math.max(a[i - length + a.length] ?? 1, b[i - length + b.length] ?? 1),
  );
}
