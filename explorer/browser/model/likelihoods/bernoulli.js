/** Binary pixels. */
import { crossEntropy, sigmoid } from "./contract.js";

/** @returns {import("./contract.js").Likelihood} */
export function bernoulli() {
  return {
    deviationVaries: true,
    deviationTop: 0.5,
    isDensity: false,
    mean: (output, i) => sigmoid(output[i]),
    deviation: (output, i) => Math.sqrt(sigmoid(output[i]) * sigmoid(-output[i])),
    sample: (output, i, random) => (random.uniform() < sigmoid(output[i]) ? 1 : 0),
    nll: crossEntropy,
  };
}
