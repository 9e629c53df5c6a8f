/** Likelihoods by the names that Python gives them (explorer/models/likelihoods). */
import { bernoulli } from "./likelihoods/bernoulli.js";
import { continuousBernoulli } from "./likelihoods/continuous_bernoulli.js";
import { discretizedLogistic } from "./likelihoods/discretized_logistic.js";
import { gaussian, gaussianDiagonal, gaussianPixel } from "./likelihoods/gaussian.js";
import { laplace } from "./likelihoods/laplace.js";

/**
 * @typedef {import("./header.js").LikelihoodHeader} LikelihoodHeader
 * @typedef {import("./likelihoods/contract.js").Likelihood} Likelihood
 */

/** @type {Record<string, (header: LikelihoodHeader, count: number) => Likelihood>} */
export const LIKELIHOODS = {
  bernoulli,
  "continuous-bernoulli": continuousBernoulli,
  gaussian,
  "gaussian-learned": gaussian,
  "gaussian-optimal": gaussian,
  "gaussian-diagonal": gaussianDiagonal,
  "gaussian-pixel": gaussianPixel,
  laplace,
  "discretized-logistic": discretizedLogistic,
};

/**
 * @param {LikelihoodHeader} header
 * @param {number} count pixel values of a picture
 */
export function buildLikelihood(header, count) {
  const make = LIKELIHOODS[header.kind];
  if (!make) throw new Error(`Unknown likelihood "${header.kind}".`);
  return make(header, count);
}
