/**
 * p(x|z): from what the decoder puts out to a mean, a standard deviation, a sample and nats.
 * Mirrors explorer/models/likelihoods.py. All that the page needs to know of a likelihood stands
 * here, whether its networks run in the browser or on the server.
 * @typedef {import("../shared/random.js").Random} Random
 * @typedef {import("./header.js").LikelihoodHeader} LikelihoodHeader
 * @typedef {(output: Float32Array, i: number) => number} PixelValue
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

const LOG_2PI = Math.log(2 * Math.PI);
const LOGVAR_FLOOR = -12;

/** @param {number} v */
const sigmoid = (v) => 1 / (1 + Math.exp(-v));
/** @param {number} v */
const softplus = (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));

/**
 * @param {Float32Array} output
 * @param {Float32Array} x
 */
function crossEntropy(output, x) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += softplus(output[i]) - x[i] * output[i];
  return sum;
}

/** @returns {Likelihood} */
function bernoulli() {
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

/**
 * A density on [0, 1] with logit l: its mean is 1/(1 − e^−l) − 1/l, not the sigmoid.
 * @returns {Likelihood}
 */
function continuousBernoulli() {
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

/**
 * One variance for all pixels.
 * @param {LikelihoodHeader} header
 * @returns {Likelihood}
 */
function gaussian(header) {
  const sigma2 = header.sigma2 ?? NaN;
  const sigma = Math.sqrt(sigma2);
  /** @type {Likelihood["nll"]} */
  const nll = (output, x) => {
    let squared = 0;
    for (let i = 0; i < x.length; i++) squared += (x[i] - output[i]) ** 2;
    return 0.5 * (squared / sigma2 + x.length * (LOG_2PI + Math.log(sigma2)));
  };
  return {
    deviationVaries: false,
    deviationTop: null,
    isDensity: true,
    mean: (output, i) => output[i],
    deviation: () => sigma,
    sample: (output, i, random) => output[i] + sigma * random.normal(),
    nll,
  };
}

/**
 * One variance per pixel, the same for all pictures.
 * @param {LikelihoodHeader} header
 * @returns {Likelihood}
 */
function gaussianDiagonal({ logvar = new Float32Array(0) }) {
  /** @type {Likelihood["deviation"]} */
  const deviation = (_, i) => Math.exp(0.5 * logvar[i]);
  /** @type {Likelihood["nll"]} */
  const nll = (output, x) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) {
      sum += LOG_2PI + logvar[i] + (x[i] - output[i]) ** 2 * Math.exp(-logvar[i]);
    }
    return 0.5 * sum;
  };
  return {
    deviationVaries: true,
    deviationTop: null,
    isDensity: true,
    mean: (output, i) => output[i],
    deviation,
    sample: (output, i, random) => output[i] + deviation(output, i) * random.normal(),
    nll,
  };
}

/**
 * Mean and bounded log-variance per pixel: the second half of the output is the latter.
 * @param {LikelihoodHeader} _
 * @param {number} count pixel values of a picture
 * @returns {Likelihood}
 */
function gaussianPixel(_, count) {
  /** @type {PixelValue} */
  const logvar = (output, i) => LOGVAR_FLOOR + softplus(output[count + i] - LOGVAR_FLOOR);
  /** @type {Likelihood["deviation"]} */
  const deviation = (output, i) => Math.exp(0.5 * logvar(output, i));
  /** @type {Likelihood["nll"]} */
  const nll = (output, x) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const lv = logvar(output, i);
      sum += LOG_2PI + lv + (x[i] - output[i]) ** 2 * Math.exp(-lv);
    }
    return 0.5 * sum;
  };
  return {
    deviationVaries: true,
    deviationTop: null,
    isDensity: true,
    mean: (output, i) => output[i],
    deviation,
    sample: (output, i, random) => output[i] + deviation(output, i) * random.normal(),
    nll,
  };
}

/** @type {Record<string, (header: LikelihoodHeader, count: number) => Likelihood>} */
export const LIKELIHOODS = {
  bernoulli,
  "continuous-bernoulli": continuousBernoulli,
  gaussian,
  "gaussian-learned": gaussian,
  "gaussian-optimal": gaussian,
  "gaussian-diagonal": gaussianDiagonal,
  "gaussian-pixel": gaussianPixel,
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
