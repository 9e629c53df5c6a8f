import { createRandom } from "../shared/random.js";
import { Estimating } from "./estimate.js";
import { Model } from "./model.js";

/**
 * What a worker does for the page: it holds a model, and answers one question a channel, the newest.
 * What the hand waits for goes first; what takes long is done one picture at a time in between.
 *
 * @typedef {import("./described.js").Mode} Mode
 * @typedef {import("./model.js").ModelHeader & {networks: import("./header.js").NetworksHeader}} WholeHeader
 * @typedef {{kind: "encode", x: Float32Array}
 *   | {kind: "picture", z: Float32Array, mode: Mode, seed: number}
 *   | {kind: "pictures", points: Float32Array[]}
 *   | {kind: "estimate", scored: import("./estimate.js").Scored, seed: number}
 *   | {kind: "nothing"}} Question
 * @typedef {{channel: string, turn: number, question: Question}} Asked
 * @typedef {{kind: "model", header: unknown} | {kind: "asked", asked: Asked}} Message
 * @typedef {{channel: string, turn: number, index?: number, code?: import("./described.js").Code, picture?: Float32Array, estimate?: import("./estimate.js").Estimate}} Answer
 */

const RANKS = { encode: 0, picture: 1, pictures: 2, estimate: 3, nothing: 4 };

/** After an answer to the hand, so long nothing else is begun: its next question is on the way. */
const QUIET_MS = 50;

/**
 * @param {(answer: Answer) => void} send
 * @param {(work: () => void) => void} later calls it after the messages that have come meanwhile
 * @param {number} [quiet] milliseconds
 * @returns {(message: Message) => void}
 */
export function createService(send, later, quiet = QUIET_MS) {
  /** @type {Model | null} */
  let model = null;
  /** @type {Map<string, {rank: number, step: () => boolean}>} by channel, the longest untouched first */
  const jobs = new Map();
  let waiting = false;
  let quietUntil = -Infinity;

  const work = () => {
    waiting = false;
    let [channel, job] = ["", { rank: Infinity, step: () => false }];
    for (const entry of jobs) if (entry[1].rank < job.rank) [channel, job] = entry;
    const rest = job.rank < RANKS.pictures ? 0 : quietUntil - performance.now();
    if (rest > 0) {
      setTimeout(wake, rest);
      return;
    }
    jobs.delete(channel);
    if (job.step()) jobs.set(channel, job);
    if (job.rank < RANKS.pictures) quietUntil = performance.now() + quiet;
    wake();
  };
  const wake = () => {
    if (waiting || !jobs.size || !model) return;
    waiting = true;
    later(work);
  };
  return (message) => {
    if (message.kind === "model") {
      model = new Model(giveShapes(message.header));
      jobs.clear();
    } else if (model) {
      const { asked } = message;
      jobs.delete(asked.channel);
      if (asked.question.kind !== "nothing") {
        jobs.set(asked.channel, { rank: RANKS[asked.question.kind], step: stepsOf(model, asked, send) });
      }
    }
    wake();
  };
}

/**
 * A header as a message can carry it: arrays arrive there without the shapes that they have here.
 * @param {any} value
 * @returns {any}
 */
export function takeShapes(value) {
  return walk(value, (array) => ({ values: array, arrayShape: array.shape }));
}

/**
 * The inverse of `takeShapes`.
 * @param {any} value
 * @returns {any}
 */
function giveShapes(value) {
  if (value?.arrayShape) return Object.assign(value.values, { shape: value.arrayShape });
  return walk(value, (array) => array, giveShapes);
}

/**
 * The same value with each of its arrays that has a shape turned into another.
 * @param {any} value
 * @param {(array: import("./header.js").Floats) => unknown} turn
 * @param {(value: any) => any} [next]
 * @returns {any}
 */
function walk(value, turn, next = (part) => walk(part, turn)) {
  if (Array.isArray(value)) return value.map(next);
  if (ArrayBuffer.isView(value)) return "shape" in value ? turn(/** @type {any} */ (value)) : value;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, next(part)]));
}

/**
 * One step towards the answer; it tells whether there are more.
 * @param {Model} model
 * @param {Asked} asked
 * @param {(answer: Answer) => void} send
 * @returns {() => boolean}
 */
function stepsOf(model, { channel, turn, question }, send) {
  if (question.kind === "encode") {
    return () => {
      send({ channel, turn, code: model.encode(question.x) });
      return false;
    };
  }
  if (question.kind === "picture") {
    const { z, mode, seed } = question;
    return () => {
      send({ channel, turn, picture: model.picture(z, mode, createRandom(seed)) });
      return false;
    };
  }
  if (question.kind === "pictures") {
    let index = 0;
    return () => {
      if (index < question.points.length) send({ channel, turn, index, picture: model.picture(question.points[index]) });
      index += 1;
      return index < question.points.length;
    };
  }
  if (question.kind === "estimate") {
    const estimating = new Estimating(model, question.scored, question.seed);
    return () => {
      send({ channel, turn, estimate: estimating.go() });
      return !estimating.done;
    };
  }
  return () => false;
}
