import { storedPicture } from "../shared/picture.js";
import { DescribedModel } from "./described.js";
import { Slices } from "./slices.js";

/**
 * A model whose networks are too large for a file: some points were decoded in advance, and at any
 * other the nearest of them answers. Codes are known of the pictures that came along.
 * @typedef {import("./described.js").Code} Code
 * @typedef {import("./described.js").Mode} Mode
 * @typedef {import("./header.js").AtlasHeader} AtlasHeader
 */
export class AtlasModel extends DescribedModel {
  /**
   * @param {import("./header.js").ModelHeader & {atlas: AtlasHeader, pictures?: import("./header.js").PicturesHeader | null}} header
   */
  constructor(header) {
    super(header);
    this.atlas = header.atlas;
    this.count = this.atlas.points.length / this.latentSize;
    this.inputs = header.pictures?.pixels ?? new Uint8Array(0);
    // Pictures were encoded as they are.
    this.binarise = false;
    this.slices = new Slices();
  }

  /**
   * Nothing is computed here.
   * @returns {false}
   */
  get isLocal() {
    return false;
  }

  /** @returns {false} */
  get canScore() {
    return false;
  }

  /** Points that were decoded. */
  get decodedPoints() {
    return this.count;
  }

  /**
   * The place among the points of the one nearest to z.
   * @param {Float32Array} z
   */
  nearest(z) {
    const { points } = this.atlas;
    const size = this.latentSize;
    let [best, least] = [0, Infinity];
    for (let i = 0; i < this.count; i++) {
      let distance = 0;
      for (let k = 0; k < size && distance < least; k++) distance += (points[i * size + k] - z[k]) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  /** @param {Float32Array} z */
  picture(z) {
    return storedPicture(this.atlas.pixels, this.nearest(z), this.pixelCount);
  }

  /**
   * The code of a picture that came along; of any other nothing is heard.
   * @param {Float32Array} x
   * @param {(code: Code) => void} done
   */
  encodeSoon(x, done) {
    const { mean, logvar } = this.atlas;
    const size = this.latentSize;
    const row = this.findInput(x);
    if (!mean || row < 0 || (row + 1) * size > mean.length) return;
    const part = [row * size, (row + 1) * size];
    done({ mean: mean.slice(...part), logvar: logvar && logvar.slice(...part) });
  }

  /** @param {Float32Array} x */
  findInput(x) {
    const { inputs, pixelCount } = this;
    const bytes = x.map((value) => Math.round(255 * value));
    for (let row = 0; row < inputs.length / pixelCount; row++) {
      if (bytes.every((value, i) => value === inputs[row * pixelCount + i])) return row;
    }
    return -1;
  }

  /**
   * @param {Float32Array} z
   * @param {Mode} _ only means were kept
   * @param {number} _seed
   * @param {(picture: Float32Array) => void} done
   */
  pictureSoon(z, _, _seed, done) {
    done(this.picture(z));
  }

  /**
   * @param {string} channel
   * @param {Float32Array[]} points
   * @param {(index: number, picture: Float32Array) => void} each
   */
  picturesSoon(channel, points, each) {
    this.slices.startPictures(channel, points, (z) => this.picture(z), each);
  }

  dispose() {
    this.slices.stopAll();
  }
}
