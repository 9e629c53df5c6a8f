import { createRandom } from "../shared/random.js";
import { sizeOf } from "./layers.js";
import { LIKELIHOODS } from "./likelihood.js";
import { buildNetwork } from "./network.js";
import { Prior } from "./prior.js";

const LOGVAR_BOUND = 20;

/**
 * The two networks and the likelihood of one run. Pictures are Float32Array in [0, 1], (C, H, W);
 * nothing here knows of the page.
 */
export class Model {
  /** @param {any} header the payload */
  constructor(header) {
    this.shape = header.shape;
    this.pixelCount = sizeOf(header.shape);
    this.latentSize = header.latent.size;
    this.hasPosterior = header.latent.kind === "gaussian";
    this.prior = new Prior(header.prior);
    this.binarise = header.likelihood.binarise;
    this.likelihoodKind = header.likelihood.kind;
    this.sigma2 = header.likelihood.sigma2;
    this.likelihood = LIKELIHOODS[header.likelihood.kind](header.likelihood, this.pixelCount);
    this.encoder = header.networks && buildNetwork(header.networks.encoder, header.shape);
    this.decoder = header.networks && buildNetwork(header.networks.decoder, [this.latentSize]);
  }

  /** Whether both networks are here; otherwise the server decodes. */
  get isLocal() {
    return Boolean(this.decoder);
  }

  /**
   * q(z|x) of one picture.
   * @param {Float32Array} x
   * @returns {{mean: Float32Array, logvar: Float32Array | null}}
   */
  encode(x) {
    const code = this.encoder.forward(x);
    const mean = code.slice(0, this.latentSize);
    if (!this.hasPosterior) return { mean, logvar: null };
    const logvar = code
      .slice(this.latentSize, 2 * this.latentSize)
      .map((raw) => LOGVAR_BOUND * Math.tanh(raw / LOGVAR_BOUND));
    return { mean, logvar };
  }

  /** As `encode`, for callers that can wait: a model on the server answers later. */
  encodeSoon(x, done) {
    done(this.encode(x));
  }

  /** As `picture`, for callers that can wait. */
  pictureSoon(z, mode, seed, done) {
    done(this.picture(z, mode, createRandom(seed)));
  }

  /**
   * What the decoder puts out at z; overwritten by the next call.
   * @param {Float32Array} z
   */
  decode(z) {
    return this.decoder.forward(z);
  }

  /**
   * One picture of p(x|z) at z: its mean, its standard deviation per pixel, or a sample.
   * @param {Float32Array} z
   * @param {"mean" | "sample" | "deviation"} mode
   * @param {import("../shared/random.js").Random} [random] needed for a sample
   * @param {Float32Array} [picture] written into, if given
   */
  picture(z, mode = "mean", random = undefined, picture = new Float32Array(this.pixelCount)) {
    const output = this.decode(z);
    const value = this.likelihood[mode];
    for (let i = 0; i < picture.length; i++) picture[i] = value(output, i, random);
    return picture;
  }

  /** −log p(x|z) in nats. */
  nll(z, x) {
    return this.likelihood.nll(this.decode(z), x);
  }
}

/**
 * KL(N(μ, e^lv) ‖ N(0, 1)) per dimension, in nats.
 * @param {Float32Array} mean
 * @param {Float32Array} logvar
 */
export function gaussianKl(mean, logvar) {
  return mean.map((mu, i) => 0.5 * (Math.expm1(logvar[i]) - logvar[i] + mu * mu));
}
