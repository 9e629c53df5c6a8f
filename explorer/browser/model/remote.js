import { fromBase64, toBase64 } from "../shared/base64.js";
import { DescribedModel } from "./described.js";

const PAUSE_MS = 60;

/**
 * A model too large for the browser: the same face as Model, but Python encodes and decodes.
 * While the hand moves, a request goes out at most every 60 ms and only the latest counts.
 * @typedef {import("./described.js").Code} Code
 * @typedef {import("./described.js").Mode} Mode
 * @typedef {{kind: "encode", x: string} | {kind: "decode", z: number[], mode: Mode, seed: number}} Request
 * @typedef {{number: number, mean: number[], logvar: number[] | null, picture: string, top: number}} Answer
 * its number, and what was asked for: a code, or a picture as bytes of value/top
 */
export class RemoteModel extends DescribedModel {
  /**
   * @param {import("./header.js").ModelHeader} header
   * @param {(request: Request & {number: number}) => void} ask passes a request on to Python
   */
  constructor(header, ask) {
    super(header);
    this.ask = ask;
    this.number = 0;
    this.timer = 0;
    this.last = 0;
    /** @type {Map<number, {kind: string, done: (answer: Answer) => void}>} */
    this.waiting = new Map();
  }

  /**
   * The networks are on the server.
   * @returns {false}
   */
  get isLocal() {
    return false;
  }

  /**
   * Ask for q(z|x); `done` hears of it when it comes.
   * @param {Float32Array} x
   * @param {(code: Code) => void} done
   */
  encodeSoon(x, done) {
    const bytes = Uint8Array.from(x, (value) => Math.round(255 * value));
    this.send({ kind: "encode", x: toBase64(bytes) }, (answer) =>
      done({
        mean: Float32Array.from(answer.mean),
        logvar: answer.logvar && Float32Array.from(answer.logvar),
      }),
    );
  }

  /**
   * Ask for the picture at z; requests that are overtaken are dropped.
   * @param {Float32Array} z
   * @param {Mode} mode
   * @param {number} seed
   * @param {(picture: Float32Array) => void} done
   */
  pictureSoon(z, mode, seed, done) {
    const ask = () => {
      this.last = performance.now();
      this.send({ kind: "decode", z: Array.from(z), mode, seed }, (answer) => {
        const bytes = fromBase64(answer.picture);
        done(Float32Array.from(bytes, (value) => (value / 255) * answer.top));
      });
    };
    clearTimeout(this.timer);
    const wait = PAUSE_MS - (performance.now() - this.last);
    if (wait <= 0) ask();
    else this.timer = window.setTimeout(ask, wait);
  }

  /**
   * @param {Request} request
   * @param {(answer: Answer) => void} done
   */
  send(request, done) {
    this.number += 1;
    // Only the newest request of a kind is waited for.
    for (const [number, waiting] of this.waiting) {
      if (waiting.kind === request.kind) this.waiting.delete(number);
    }
    this.waiting.set(this.number, { kind: request.kind, done });
    this.ask({ ...request, number: this.number });
  }

  /** @param {Answer[]} answers */
  receive(answers) {
    for (const answer of answers) {
      const waiting = this.waiting.get(answer.number);
      if (!waiting) continue;
      this.waiting.delete(answer.number);
      waiting.done(answer);
    }
  }
}
