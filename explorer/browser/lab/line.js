import { blendCodes } from "../film/frames.js";

/**
 * Where a hand stands in a sweep: on a line of models that differ in one setting, at one step of
 * their films. Between two models everything moves along straight lines: a transition, no model.
 * @typedef {import("../film/frames.js").Frame} Frame
 * @typedef {import("../film/frames.js").Point} Point
 *
 * @typedef {object} Member a model of the sweep
 * @property {string} name of its folder
 * @property {string} id
 * @property {number[]} at its place on each axis of the grid
 * @property {string[]} marks short names on each axis, such as "4"
 * @property {string[]} names such as "β 4"
 * @property {number} beta of its last update
 * @property {Frame[]} frames by step
 * @property {Point[]} log
 * @property {Point} final
 * @property {string} split on which that was measured
 * @property {string} logged on which the log was
 */

/**
 * The models that differ from the one at `at` in one axis alone, in its order.
 * @template {{at: number[]}} M
 * @param {M[]} members
 * @param {number} axis
 * @param {number[]} at
 */
export function lineOf(members, axis, at) {
  return members
    .filter((member) => member.at.every((place, i) => i === axis || place === at[i]))
    .sort((a, b) => a.at[axis] - b.at[axis]);
}

/**
 * The two neighbours of a number in an ascending list, and how far it is from the first.
 * @param {ArrayLike<number>} values
 * @param {number} value
 * @returns {[number, number, number]}
 */
export function between(values, value) {
  const last = values.length - 1;
  let low = 0;
  while (low < last && values[low + 1] <= value) low++;
  if (low === last || value <= values[low]) return [low, low, 0];
  return [low, low + 1, (value - values[low]) / (values[low + 1] - values[low])];
}

/**
 * Codes of a member at a step, which may lie between two of its frames.
 * @param {Member} member
 * @param {number} step
 */
export function codesAt({ frames }, step) {
  const [low, high, part] = between(frames.map((frame) => frame.step), step);
  return blendCodes(frames[low].codes, frames[high].codes, part);
}

/**
 * The frame of a member that was kept last at a step.
 * @param {Member} member
 * @param {number} step
 */
export function frameAt({ frames }, step) {
  return frames[between(frames.map((frame) => frame.step), step)[0]];
}

/**
 * What was measured of a member at a step: of the whole training at its end (`step` null).
 * @param {Member} member
 * @param {number | null} step
 * @returns {Point}
 */
export function figuresAt({ log, final }, step) {
  if (step === null || !log.length) return final;
  return log[between(log.map((point) => point.step), step)[0]];
}

/**
 * Where a member stands on the plane of rate and distortion, between log points too.
 * @param {Member} member
 * @param {number | null} step
 * @returns {[number, number]}
 */
export function placeAt(member, step) {
  const { log, final } = member;
  if (step === null || !log.length) return [final.kl ?? 0, final.reconstruction];
  const [low, high, part] = between(log.map((point) => point.step), step);
  return mix(placeOf(log[low]), placeOf(log[high]), part);
}

/** @param {Point} point @returns {[number, number]} */
const placeOf = (point) => [point.kl ?? 0, point.reconstruction];

/**
 * @param {[number, number]} one
 * @param {[number, number]} other
 * @param {number} part
 * @returns {[number, number]}
 */
export function mix([x, y], [u, v], part) {
  return [x + part * (u - x), y + part * (v - y)];
}

/**
 * Shares of the KL on the way from one model to another, which may have fewer latents.
 * @param {number[]} one
 * @param {number[]} other
 * @param {number} part
 */
export function mixShares(one, other, part) {
  const size = Math.max(one.length, other.length);
  return Array.from({ length: size }, (_, i) => (1 - part) * (one[i] ?? 0) + part * (other[i] ?? 0));
}
