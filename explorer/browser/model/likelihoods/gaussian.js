/** Real pixels: one variance, one a pixel, or one a pixel and picture. */
import { LOG_2PI, softplus } from "./contract.js";

/**
 * @typedef {import("./contract.js").Likelihood} Likelihood
 * @typedef {import("./contract.js").PixelValue} PixelValue
 * @typedef {import("./contract.js").LikelihoodHeader} LikelihoodHeader
 */

const LOGVAR_FLOOR = -12;

/**
 * One variance for all pixels.
 * @param {LikelihoodHeader} header
 * @returns {Likelihood}
 */
export function gaussian(header) {
  const sigma2 = header.sigma2 ?? NaN;
  const sigma = Math.sqrt(sigma2);
  /** @type {Likelihood["nll"]} */
  const nll = (output, x) => {
    let squared = 0;
    for (let i = 0; i < x.length; i++) squared += (x[i] - output[i]) ** 2;
    return 0.5 * (squared / sigma2 + x.length * (LOG_2PI + Math.log(sigma2)));
  };
  return normal(() => sigma, nll);
}

/**
 * One variance per pixel, the same for all pictures.
 * @param {LikelihoodHeader} header
 * @returns {Likelihood}
 */
export function gaussianDiagonal({ logvar = new Float32Array(0) }) {
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
  return { ...normal(deviation, nll), deviationVaries: true };
}

/**
 * Mean and bounded log-variance per pixel: the second half of the output is the latter.
 * @param {LikelihoodHeader} _
 * @param {number} count pixel values of a picture
 * @returns {Likelihood}
 */
export function gaussianPixel(_, count) {
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
  return { ...normal(deviation, nll), deviationVaries: true };
}

/**
 * What the three have in common.
 * @param {Likelihood["deviation"]} deviation
 * @param {Likelihood["nll"]} nll
 * @returns {Likelihood}
 */
function normal(deviation, nll) {
  return {
    deviationVaries: false,
    deviationTop: null,
    isDensity: true,
    mean: (output, i) => output[i],
    deviation,
    sample: (output, i, random) => output[i] + deviation(output, i) * random.normal(),
    nll,
  };
}
