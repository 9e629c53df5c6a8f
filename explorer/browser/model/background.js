import { DescribedModel } from "./described.js";
import { takeShapes } from "./service.js";

/**
 * A model whose decodes would hold up the page: the same face as Model, but its networks run in a
 * worker. Of what is asked on a channel only the newest counts; what the worker drops is never heard of.
 *
 * @typedef {import("./described.js").Code} Code
 * @typedef {import("./described.js").Mode} Mode
 * @typedef {import("./service.js").Answer} Answer
 * @typedef {import("./service.js").Question} Question
 * @typedef {import("./service.js").WholeHeader} WholeHeader
 */
export class BackgroundModel extends DescribedModel {
  /**
   * @param {WholeHeader} header
   * @param {Worker} worker
   */
  constructor(header, worker) {
    super(header);
    this.worker = worker;
    this.turn = 0;
    /** @type {Map<string, {turn: number, hear: (answer: Answer) => void}>} by channel, until it is answered */
    this.waiting = new Map();
    /** @type {{turn: number, hear: (answer: Answer) => void} | null} of an estimate, which gets better and better */
    this.scoring = null;
    /** @type {Map<number, (picture: Float32Array) => void>} pictures under the hand, by turn */
    this.pictures = new Map();
    worker.onmessage = ({ data }) => this.receive(data);
    this.send(header);
  }

  /**
   * They answer later.
   * @returns {false}
   */
  get isLocal() {
    return false;
  }

  /** @returns {true} */
  get canScore() {
    return true;
  }

  /** @param {WholeHeader} header */
  send({ shape, latent, prior, likelihood, networks }) {
    this.worker.postMessage({ kind: "model", header: takeShapes({ shape, latent, prior, likelihood, networks }) });
  }

  /**
   * Become another model of the same images and latents.
   * @param {WholeHeader} header
   */
  become(header) {
    this.waiting.clear();
    this.pictures.clear();
    Object.assign(this, new DescribedModel(header));
    this.send(header);
  }

  /**
   * @param {string} channel
   * @param {Question} question
   */
  ask(channel, question) {
    this.turn += 1;
    this.worker.postMessage({ kind: "asked", asked: { channel, turn: this.turn, question } });
    return this.turn;
  }

  /** @param {Answer} answer */
  receive(answer) {
    if (answer.channel === "picture" && answer.picture) return this.receivePicture(answer.turn, answer.picture);
    const waiting = answer.estimate ? this.scoring : this.waiting.get(answer.channel);
    if (waiting?.turn === answer.turn) waiting.hear(answer);
  }

  /**
   * @param {Float32Array} x
   * @param {(code: Code) => void} done
   */
  encodeSoon(x, done) {
    const turn = this.ask("encode", { kind: "encode", x });
    this.waiting.set("encode", {
      turn,
      hear: ({ code }) => {
        this.waiting.delete("encode");
        if (code) done(code);
      },
    });
  }

  /**
   * @param {Float32Array} z
   * @param {Mode} mode
   * @param {number} seed
   * @param {(picture: Float32Array) => void} done
   */
  pictureSoon(z, mode, seed, done) {
    // Asked at once, so that the worker is never idle; it drops what is overtaken.
    const turn = this.ask("picture", { kind: "picture", z, mode, seed });
    this.pictures.set(turn, done);
    this.waiting.set("picture", { turn, hear: () => {} });
  }

  /**
   * A picture under the hand came: those that were asked for before it will not.
   * @param {number} turn
   * @param {Float32Array} picture
   */
  receivePicture(turn, picture) {
    const done = this.pictures.get(turn);
    for (const earlier of this.pictures.keys()) if (earlier <= turn) this.pictures.delete(earlier);
    if (!this.pictures.size) this.waiting.delete("picture");
    done?.(picture);
  }

  /**
   * @param {string} channel
   * @param {Float32Array[]} points
   * @param {(index: number, picture: Float32Array) => void} each
   */
  picturesSoon(channel, points, each) {
    const turn = this.ask(channel, { kind: "pictures", points });
    this.waiting.delete(channel);
    if (!points.length) return;
    this.waiting.set(channel, {
      turn,
      hear: ({ index = 0, picture }) => {
        if (index === points.length - 1) this.waiting.delete(channel);
        if (picture) each(index, picture);
      },
    });
  }

  /**
   * @param {import("./estimate.js").Scored | null} scored null to stop
   * @param {number} seed
   * @param {boolean} _ the hand goes first in any case
   * @param {(estimate: import("./estimate.js").Estimate) => void} each
   */
  estimateSoon(scored, seed, _, each) {
    /** @type {Question} */
    const question = scored ? { kind: "estimate", scored, seed } : { kind: "nothing" };
    const turn = this.ask("estimate", question);
    this.scoring = { turn, hear: ({ estimate }) => estimate && each(estimate) };
  }

  dispose() {
    this.worker.terminate();
  }
}
