/** What is done to each value by itself. */
import { erf } from "../../shared/special.js";
import { broadcastPlaces, sizeOf } from "./contract.js";

/**
 * @typedef {import("./contract.js").Layer} Layer
 * @typedef {import("./contract.js").Floats} Floats
 * @typedef {import("./contract.js").Run} Run
 */

/** Probabilities are held this far from 0 and 1, as in Python. */
const LOGIT_EDGE = 1e-6;
const GELU_SLOPE = Math.sqrt(2 / Math.PI);

/** @param {number} v */
const sigmoid = (v) => 1 / (1 + Math.exp(-v));

/**
 * A layer of one function; where it has settings, `choose` makes it of them.
 * @param {(description: any) => (value: number) => number} choose
 * @returns {import("./contract.js").Maker}
 */
const pointwise = (choose) => (description, shape) => {
  const activate = choose(description);
  /** @type {Run} */
  const run = (x, y) => {
    for (let i = 0; i < y.length; i++) y[i] = activate(x[i]);
  };
  return { shape, run, inPlace: true };
};

/**
 * @param {unknown} _
 * @param {number[]} shape
 * @returns {Layer}
 */
function relu(_, shape) {
  /** @type {Run} */
  const run = (x, y) => {
    for (let i = 0; i < y.length; i++) y[i] = x[i] > 0 ? x[i] : 0;
  };
  return { shape, run, inPlace: true };
}

/**
 * x·weight + bias with constants that broadcast over the picture.
 * @param {{weight?: Floats, bias?: Floats}} constants
 * @param {number[]} shape
 * @returns {Layer}
 */
function affine({ weight, bias }, shape) {
  const scales = weight ? spread(weight, shape) : null;
  const shifts = bias ? spread(bias, shape) : null;
  /** @type {Run} */
  const run = (x, y) => {
    for (let i = 0; i < y.length; i++) y[i] = x[i] * (scales ? scales[i] : 1) + (shifts ? shifts[i] : 0);
  };
  return { shape, run, inPlace: true };
}

/**
 * @param {Floats} constant
 * @param {number[]} shape
 */
function spread(constant, shape) {
  const places = broadcastPlaces(constant.shape, shape);
  return Float32Array.from(places, (place) => constant[place]);
}

/**
 * A slope below zero for each channel.
 * @param {{weight: Floats}} slopes
 * @param {number[]} shape
 * @returns {Layer}
 */
function prelu({ weight }, shape) {
  const plane = sizeOf(shape) / shape[0];
  /** @type {Run} */
  const run = (x, y) => {
    for (let i = 0; i < y.length; i++) {
      const slope = weight[weight.length === 1 ? 0 : Math.floor(i / plane)];
      y[i] = x[i] > 0 ? x[i] : slope * x[i];
    }
  };
  return { shape, run, inPlace: true };
}

/** @type {Record<string, import("./contract.js").Maker>} */
export const POINTWISE = {
  relu,
  affine,
  prelu,
  tanh: pointwise(() => Math.tanh),
  sigmoid: pointwise(() => sigmoid),
  silu: pointwise(() => (v) => v * sigmoid(v)),
  exp: pointwise(() => Math.exp),
  log: pointwise(() => Math.log),
  erf: pointwise(() => erf),
  logit: pointwise(() => (v) => {
    const p = Math.min(Math.max(v, LOGIT_EDGE), 1 - LOGIT_EDGE);
    return Math.log(p / (1 - p));
  }),
  leakyRelu: pointwise(({ slope }) => (v) => (v > 0 ? v : slope * v)),
  elu: pointwise(({ alpha }) => (v) => (v > 0 ? v : alpha * Math.expm1(v))),
  gelu: pointwise(({ approximate }) =>
    approximate === "tanh"
      ? (v) => 0.5 * v * (1 + Math.tanh(GELU_SLOPE * (v + 0.044715 * v * v * v)))
      : (v) => 0.5 * v * (1 + erf(v * Math.SQRT1_2)),
  ),
  softplus: pointwise(({ beta, threshold }) => (v) => (beta * v > threshold ? v : Math.log1p(Math.exp(beta * v)) / beta)),
  clamp: pointwise(({ low, high }) => (v) => Math.min(Math.max(v, low), high)),
};
