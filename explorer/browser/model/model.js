import { createRandom } from "../shared/random.js";
import { DescribedModel } from "./described.js";
import { buildNetwork } from "./network.js";

/**
 * The two networks and the likelihood of one run. Pictures are Float32Array in [0, 1], (C, H, W);
 * nothing here knows of the page.
 * @typedef {import("./header.js").ModelHeader} ModelHeader
 * @typedef {import("./header.js").NetworksHeader} NetworksHeader
 * @typedef {import("./described.js").Code} Code
 * @typedef {import("./described.js").Mode} Mode
 */
export class Model extends DescribedModel {
  /** @param {ModelHeader & {networks: NetworksHeader}} header the payload of a model whose networks are here */
  constructor(header) {
    super(header);
    this.encoder = buildNetwork(header.networks.encoder, header.shape);
    this.decoder = buildNetwork(header.networks.decoder, [this.latentSize]);
  }

  /**
   * Both networks are here.
   * @returns {true}
   */
  get isLocal() {
    return true;
  }

  /**
   * q(z|x) of one picture.
   * @param {Float32Array} x
   * @returns {Code}
   */
  encode(x) {
    const code = this.encoder.forward(x);
    const mean = code.slice(0, this.latentSize);
    if (!this.hasPosterior) return { mean, logvar: null };
    const raw = code.slice(this.latentSize, 2 * this.latentSize);
    const bound = this.logvarBound;
    return { mean, logvar: bound ? raw.map((value) => bound * Math.tanh(value / bound)) : raw };
  }

  /**
   * As `encode`, for callers that can wait: a model on the server answers later.
   * @param {Float32Array} x
   * @param {(code: Code) => void} done
   */
  encodeSoon(x, done) {
    done(this.encode(x));
  }

  /**
   * As `picture`, for callers that can wait.
   * @param {Float32Array} z
   * @param {Mode} mode
   * @param {number} seed
   * @param {(picture: Float32Array) => void} done
   */
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
   * @param {Mode} mode
   * @param {import("../shared/random.js").Random} random of which a sample is drawn
   * @param {Float32Array} [picture] written into, if given
   */
  picture(z, mode = "mean", random = createRandom(0), picture = new Float32Array(this.pixelCount)) {
    const output = this.decode(z);
    const value = this.likelihood[mode];
    for (let i = 0; i < picture.length; i++) picture[i] = value(output, i, random);
    return picture;
  }

  /**
   * −log p(x|z) in nats.
   * @param {Float32Array} z
   * @param {Float32Array} x
   */
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
