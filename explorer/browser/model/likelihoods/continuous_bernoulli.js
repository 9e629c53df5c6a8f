/** Grey pixels in [0, 1] by a density with one parameter. */
import { crossEntropy } from "./contract.js";

/** @typedef {import("./contract.js").Likelihood} Likelihood */

/**
 * A density on [0, 1] with logit l: its mean is 1/(1 − e^−l) − 1/l, not the sigmoid.
 * @returns {Likelihood}
 */
export function continuousBernoulli() {
  /** @type {Likelihood["mean"]} */
  const mean = (output, i) => {
    const l = output[i];
    return Math.abs(l) < 1e-2 ? 0.5 + l / 12 : 1 / -Math.expm1(-l) - 1 / l;
  };
  /** @type {Likelihood["deviation"]} */
  const deviation = (output, i) => {
    const l = Math.abs(output[i]);
    if (l < 1e-2) return Math.sqrt(1 / 12);
    return Math.sqrt(Math.max(0, 1 / (l * l) - 1 / (4 * Math.sinh(Math.min(l, 600) / 2) ** 2)));
  };
  /** @type {Likelihood["sample"]} */
  const sample = (output, i, random) => {
    const [l, u] = [output[i], random.uniform()];
    if (Math.abs(l) < 1e-2) return u;
    // Inverse of the distribution function, in the form that does not overflow for its sign.
    return l > 0 ? 1 + Math.log(u + (1 - u) * Math.exp(-l)) / l : Math.log1p(u * Math.expm1(l)) / l;
  };
  /** @type {Likelihood["nll"]} */
  const nll = (output, x) => {
    let normaliser = 0;
    for (let i = 0; i < x.length; i++) {
      const l = Math.abs(output[i]);
      normaliser += l < 1e-2 ? Math.LN2 + (l * l) / 12 : Math.log(l) - Math.log(Math.tanh(l / 2));
    }
    return crossEntropy(output, x) - normaliser;
  };
  return { deviationVaries: true, deviationTop: 0.3, isDensity: true, mean, deviation, sample, nll };
}
