import { fromBase64, toBase64 } from "../shared/base64.js";
import { DescribedModel } from "./described.js";

/** An answer that is this late is given up: the server was busy with something else. */
const PATIENCE_MS = 1500;
/** Pictures of one request. */
const BATCH = 16;

/**
 * A model too large for the browser: the same face as Model, but Python encodes and decodes. Few
 * requests of a kind are under way, and only the newest waits; many pictures go out in batches.
 * @typedef {import("./described.js").Code} Code
 * @typedef {import("./described.js").Mode} Mode
 * @typedef {{kind: "encode", x: string}
 *   | {kind: "decode", z: number[], mode: Mode, seed: number}
 *   | {kind: "batch", points: number[][]}} Request
 * @typedef {{number: number, mean: number[], logvar: number[] | null, picture: string, top: number}} Answer
 * its number, and what was asked for: a code, or pictures as bytes of value/top
 * @typedef {{points: Float32Array[], next: number, each: (index: number, picture: Float32Array) => void}} Job
 */
export class RemoteModel extends DescribedModel {
  /**
   * @param {import("./header.js").ModelHeader} header
   * @param {(request: Request & {number: number}) => void} ask passes a request on to Python
   */
  constructor(header, ask) {
    super(header);
    this.ask = ask;
    /** Requests for pictures at a z under way at once: a kernel queues, a server hears the last one. */
    this.ahead = header.live ? 2 : 1;
    this.number = 0;
    /** @type {Map<number, {kind: string, since: number, hear: (answer: Answer) => void}>} what is under way, by number */
    this.waiting = new Map();
    /** @type {Map<string, () => void>} the newest request of a kind, while another is under way */
    this.pending = new Map();
    /** @type {Map<string, Job>} by channel */
    this.jobs = new Map();
  }

  /**
   * The networks are on the server.
   * @returns {false}
   */
  get isLocal() {
    return false;
  }

  /**
   * Only the server could.
   * @returns {false}
   */
  get canScore() {
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
    this.send({ kind: "decode", z: Array.from(z), mode, seed }, (answer) => done(readPictures(answer, this.pixelCount)[0]));
  }

  /**
   * Ask for the means at many points, batch after batch; asking again on a channel drops the rest.
   * @param {string} channel
   * @param {Float32Array[]} points
   * @param {(index: number, picture: Float32Array) => void} each
   */
  picturesSoon(channel, points, each) {
    this.jobs.delete(channel);
    if (points.length) this.jobs.set(channel, { points, next: 0, each });
    if (!this.isBusy("batch")) this.sendBatch();
  }

  sendBatch() {
    const [entry] = this.jobs;
    if (!entry) return;
    const [channel, job] = entry;
    const first = job.next;
    const points = job.points.slice(first, first + BATCH);
    this.send({ kind: "batch", points: points.map((z) => Array.from(z)) }, (answer) => {
      if (this.jobs.get(channel) === job) {
        readPictures(answer, this.pixelCount).forEach((picture, i) => job.each(first + i, picture));
        job.next += points.length;
        // Channels take turns.
        this.jobs.delete(channel);
        if (job.next < job.points.length) this.jobs.set(channel, job);
      }
      this.sendBatch();
    });
  }

  /** Answers that still come are of no use. */
  dispose() {
    this.waiting.clear();
    this.pending.clear();
    this.jobs.clear();
  }

  /**
   * Tell whether as many requests of a kind are under way as may be; what is too late is given up.
   * @param {string} kind
   */
  isBusy(kind) {
    const late = performance.now() - PATIENCE_MS;
    let count = 0;
    for (const [number, one] of this.waiting) {
      if (one.kind !== kind) continue;
      if (one.since > late) count += 1;
      else this.waiting.delete(number);
    }
    return count >= (kind === "decode" ? this.ahead : 1);
  }

  /**
   * @param {Request} request
   * @param {(answer: Answer) => void} hear
   */
  send(request, hear) {
    const { kind } = request;
    const go = () => {
      this.number += 1;
      this.waiting.set(this.number, { kind, since: performance.now(), hear });
      this.ask({ ...request, number: this.number });
    };
    if (this.isBusy(kind)) this.pending.set(kind, go);
    else go();
  }

  /** @param {Answer[]} answers */
  receive(answers) {
    for (const answer of answers) {
      const asked = this.waiting.get(answer.number);
      if (!asked) continue;
      const { kind, hear } = asked;
      // What was asked before this is overtaken.
      for (const [number, one] of this.waiting) {
        if (one.kind === kind && number <= answer.number) this.waiting.delete(number);
      }
      const next = this.pending.get(kind);
      this.pending.delete(kind);
      next?.();
      hear(answer);
    }
  }
}

/**
 * @param {Answer} answer
 * @param {number} size pixel values of one picture
 */
function readPictures({ picture, top }, size) {
  const bytes = fromBase64(picture);
  return Array.from({ length: bytes.length / size }, (_, i) =>
    Float32Array.from(bytes.subarray(i * size, (i + 1) * size), (value) => (value / 255) * top),
  );
}
