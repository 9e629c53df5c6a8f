import { createRandom } from "../shared/random.js";
import { DescribedModel } from "./described.js";
import { Estimating } from "./estimate.js";
import { buildNetwork } from "./network.js";
import { Slices } from "./slices.js";

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
    this.slices = new Slices();
  }

  /**
   * Both networks are here, and answer at once.
   * @returns {true}
   */
  get isLocal() {
    return true;
  }

  /**
   * Whether a picture's ELBO can be estimated.
   * @returns {true}
   */
  get canScore() {
    return true;
  }

  /**
   * Become another model of the same images and latents.
   * @param {ModelHeader & {networks: NetworksHeader}} header
   */
  become(header) {
    const { slices } = this;
    Object.assign(this, new Model(header), { slices });
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
   * The means at many points, one after the other; asking again on a channel drops what is left.
   * @param {string} channel
   * @param {Float32Array[]} points
   * @param {(index: number, picture: Float32Array) => void} each
   */
  picturesSoon(channel, points, each) {
    this.slices.startPictures(channel, points, (z) => this.picture(z), each);
  }

  /**
   * Estimate a picture's ELBO, telling of it as it gets better; asking again drops the one before.
   * @param {import("./estimate.js").Scored | null} scored null to stop
   * @param {number} seed
   * @param {boolean} live whether the picture is being drawn: then the hand goes first
   * @param {(estimate: import("./estimate.js").Estimate) => void} each
   */
  estimateSoon(scored, seed, live, each) {
    this.slices.stop("estimate");
    if (!scored) return;
    const estimating = new Estimating(this, scored, seed);
    const pace = live ? { budget: 1, pause: 120, delay: 60 } : { budget: 1, pause: 16, delay: 1 };
    this.slices.start("estimate", () => {
      each(estimating.go());
      return !estimating.done;
    }, pace);
  }

  /** Nothing goes on when the page is gone. */
  dispose() {
    this.slices.stopAll();
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
