/**
 * p(x|z): from what the decoder puts out to a mean, a standard deviation, a sample and nats.
 * Each likelihood mirrors a file of explorer/models/likelihoods and holds all that the page needs
 * to know of it, whether its networks run in the browser or on the server.
 * @typedef {import("../../shared/random.js").Random} Random
 * @typedef {(output: Float32Array, i: number) => number} PixelValue
 *
 * @typedef {object} LikelihoodHeader what Python says of one
 * @property {string} kind
 * @property {boolean} binarise
 * @property {number | null} sigma2
 * @property {Float32Array} [logvar] of each pixel, where it is the same for all pictures
 *
 * @typedef {object} Likelihood
 * @property {PixelValue} mean
 * @property {PixelValue} deviation
 * @property {(output: Float32Array, i: number, random: Random) => number} sample
 * @property {(output: Float32Array, x: Float32Array) => number} nll
 * @property {boolean} deviationVaries from pixel to pixel: there is a σ-map to look at
 * @property {number | null} deviationTop the largest deviation that there can be, where it is known
 * @property {boolean} isDensity so that nats may lie below zero
 */

export const LOG_2PI = Math.log(2 * Math.PI);

/** @param {number} v */
export const sigmoid = (v) => 1 / (1 + Math.exp(-v));
/** @param {number} v */
export const softplus = (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));

/**
 * Σ softplus(logit) − x·logit.
 * @param {Float32Array} output
 * @param {Float32Array} x
 */
export function crossEntropy(output, x) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += softplus(output[i]) - x[i] * output[i];
  return sum;
}
