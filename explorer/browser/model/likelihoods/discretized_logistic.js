/** 256 grey values: the mass that a logistic density puts on each. */
import { sigmoid, softplus } from "./contract.js";

const TOP = 255;
const STEP = 1 / TOP;
/** Scales from this on make the sum over the grey values an integral, to 1e-6. */
const WIDE = 2 * STEP;

/**
 * @param {import("./contract.js").LikelihoodHeader} header
 * @returns {import("./contract.js").Likelihood}
 */
export function discretizedLogistic(header) {
  const scale = Math.sqrt(3 * (header.sigma2 ?? NaN)) / Math.PI;
  const inside = Math.log(-Math.expm1(-STEP / scale));

  /**
   * Σ_k P(x > k/255) · weigh(k) / 255.
   * @param {number} centre
   * @param {(k: number) => number} weigh
   */
  function moment(centre, weigh) {
    let sum = 0;
    for (let k = 0; k < TOP; k++) sum += weigh(k) * sigmoid((centre - (k + 0.5) * STEP) / scale);
    return sum * STEP;
  }

  /** @param {number} centre */
  function meanOf(centre) {
    if (scale < WIDE) return moment(centre, () => 1);
    const [low, high] = [centre / scale, (centre - 1) / scale];
    // The midpoint rule's first correction at both ends (Euler and Maclaurin).
    const slope = (sigmoid(low) * sigmoid(-low) - sigmoid(high) * sigmoid(-high)) / scale;
    return scale * (softplus(low) - softplus(high)) - (STEP * STEP * slope) / 24;
  }

  return {
    deviationVaries: true,
    deviationTop: null,
    isDensity: false,
    mean: (output, i) => meanOf(output[i]),
    deviation: (output, i) => {
      const square = moment(output[i], (k) => (2 * k + 1) * STEP);
      return Math.sqrt(Math.max(0, square - moment(output[i], () => 1) ** 2));
    },
    sample: (output, i, random) => {
      const u = Math.min(Math.max(random.uniform(), 1e-7), 1 - 1e-7);
      const drawn = output[i] + scale * (Math.log(u) - Math.log1p(-u));
      return Math.min(Math.max(Math.round(drawn * TOP), 0), TOP) / TOP;
    },
    nll: (output, x) => {
      let sum = 0;
      for (let i = 0; i < x.length; i++) {
        const value = Math.round(x[i] * TOP) / TOP;
        const below = softplus(-(value + STEP / 2 - output[i]) / scale);
        const above = softplus((value - STEP / 2 - output[i]) / scale);
        if (value <= 0) sum += below;
        else if (value >= 1) sum += above;
        else sum += below + above - inside;
      }
      return sum;
    },
  };
}
