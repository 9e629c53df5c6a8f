/** Real pixels with heavier tails: what an L1 loss means. */

/**
 * @param {import("./contract.js").LikelihoodHeader} header
 * @returns {import("./contract.js").Likelihood}
 */
export function laplace(header) {
  const deviation = Math.sqrt(header.sigma2 ?? NaN);
  const scale = deviation / Math.SQRT2;
  return {
    deviationVaries: false,
    deviationTop: null,
    isDensity: true,
    mean: (output, i) => output[i],
    deviation: () => deviation,
    sample: (output, i, random) => {
      // 1 − u lies in (0, 1], so that the logarithm is finite.
      const side = random.uniform() < 0.5 ? -1 : 1;
      return output[i] - side * scale * Math.log(1 - random.uniform());
    },
    nll: (output, x) => {
      let distance = 0;
      for (let i = 0; i < x.length; i++) distance += Math.abs(x[i] - output[i]);
      return distance / scale + x.length * Math.log(2 * scale);
    },
  };
}
