/** Values brought to mean 0 and variance 1: by stored statistics, by groups of channels, by rows. */
import { sizeOf } from "./contract.js";

/**
 * @typedef {import("./contract.js").Layer} Layer
 * @typedef {import("./contract.js").Floats} Floats
 * @typedef {{eps: number, weight?: Floats, bias?: Floats}} Norm
 */

/**
 * @param {Norm & {mean: Floats, variance: Floats}} description
 * @param {number[]} shape
 * @returns {Layer}
 */
export function batchNorm({ mean, variance, eps, weight, bias }, shape) {
  const [channels, plane] = [shape[0], sizeOf(shape) / shape[0]];
  const scales = Float64Array.from(variance, (v, c) => (weight ? weight[c] : 1) / Math.sqrt(v + eps));
  const shifts = Float64Array.from(mean, (m, c) => (bias ? bias[c] : 0) - m * scales[c]);
  /** @type {import("./contract.js").Run} */
  const run = (x, y) => {
    for (let c = 0, i = 0; c < channels; c++) {
      const [scale, shift] = [scales[c], shifts[c]];
      for (const end = i + plane; i < end; i++) y[i] = scale * x[i] + shift;
    }
  };
  return { shape, run, inPlace: true };
}

/**
 * Over groups of channels: one group each is an instance norm.
 * @param {Norm & {groups: number}} description
 * @param {number[]} shape
 * @returns {Layer}
 */
export function groupNorm({ groups, eps, weight, bias }, shape) {
  const plane = sizeOf(shape) / shape[0];
  const size = sizeOf(shape) / groups;
  /** @type {import("./contract.js").Run} */
  const run = (x, y) => {
    for (let start = 0; start < y.length; start += size) {
      const { mean, scale } = moments(x, start, size, eps);
      for (let i = start; i < start + size; i += plane) {
        const c = i / plane;
        const gain = scale * (weight ? weight[c] : 1);
        const shift = (bias ? bias[c] : 0) - mean * gain;
        for (let j = i; j < i + plane; j++) y[j] = gain * x[j] + shift;
      }
    }
  };
  return { shape, run, inPlace: true };
}

/**
 * Over the last axes, whose sizes are `description.shape`.
 * @param {Norm & {shape: number[]}} description
 * @param {number[]} shape
 * @returns {Layer}
 */
export function layerNorm({ shape: last, eps, weight, bias }, shape) {
  const size = sizeOf(last);
  /** @type {import("./contract.js").Run} */
  const run = (x, y) => {
    for (let start = 0; start < y.length; start += size) {
      const { mean, scale } = moments(x, start, size, eps);
      for (let i = 0; i < size; i++) {
        y[start + i] = (x[start + i] - mean) * scale * (weight ? weight[i] : 1) + (bias ? bias[i] : 0);
      }
    }
  };
  return { shape, run, inPlace: true };
}

/**
 * Shares along one axis that sum to one.
 * @param {{axis: number}} description
 * @param {number[]} shape
 * @returns {Layer}
 */
export function softmax({ axis }, shape) {
  const count = shape[axis];
  const step = sizeOf(shape.slice(axis + 1));
  /** @type {import("./contract.js").Run} */
  const run = (x, y) => {
    for (let row = 0; row < y.length; row += count * step) {
      for (let start = row; start < row + step; start++) {
        const end = start + count * step;
        let [top, sum] = [-Infinity, 0];
        for (let i = start; i < end; i += step) top = Math.max(top, x[i]);
        for (let i = start; i < end; i += step) sum += y[i] = Math.exp(x[i] - top);
        for (let i = start; i < end; i += step) y[i] /= sum;
      }
    }
  };
  return { shape, run, inPlace: true };
}

/**
 * @param {Float32Array} x
 * @param {number} start
 * @param {number} size
 * @param {number} eps
 */
function moments(x, start, size, eps) {
  let sum = 0;
  for (let i = start; i < start + size; i++) sum += x[i];
  const mean = sum / size;
  let squares = 0;
  for (let i = start; i < start + size; i++) squares += (x[i] - mean) * (x[i] - mean);
  return { mean, scale: 1 / Math.sqrt(squares / size + eps) };
}
