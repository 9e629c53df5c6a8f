/** The same values in another shape, another order, or some of them. */
import { placesOf, sizeOf, stridesOf } from "./contract.js";

/**
 * @typedef {import("./contract.js").Layer} Layer
 */

/**
 * @param {Int32Array} places of the values that go out, in order
 * @param {number[]} shape
 * @returns {Layer}
 */
function pick(places, shape) {
  /** @type {import("./contract.js").Run} */
  const run = (x, y) => {
    for (let i = 0; i < places.length; i++) y[i] = x[places[i]];
  };
  return { shape, run };
}

/**
 * @param {{order: number[]}} description
 * @param {number[]} shape
 */
export function permute({ order }, shape) {
  const strides = stridesOf(shape);
  const out = order.map((axis) => shape[axis]);
  return pick(placesOf(out, order.map((axis) => strides[axis])), out);
}

/**
 * @param {{axis: number, start: number, stop: number, step: number}} description
 * @param {number[]} shape
 */
export function slice({ axis, start, stop, step }, shape) {
  const strides = stridesOf(shape);
  const out = shape.slice();
  out[axis] = Math.ceil((Math.min(stop, shape[axis]) - start) / step);
  const steps = strides.map((stride, i) => (i === axis ? stride * step : stride));
  return pick(placesOf(out, steps, start * strides[axis]), out);
}

/**
 * @param {unknown} _
 * @param {number[]} shape
 * @returns {Layer}
 */
export const flatten = (_, shape) => ({ shape: [sizeOf(shape)], run: null });

/**
 * @param {{shape: number[]}} description
 * @returns {Layer}
 */
export const reshape = ({ shape }) => ({ shape, run: null });
