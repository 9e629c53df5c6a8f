import { fromBase64 } from "../shared/base64.js";

/**
 * Frames of a film as Python sends them (explorer/export/film.py), and where between two of them
 * the points stand: they move along straight lines, which is a transition and no model.
 * @typedef {{shape: number[], bytes: string}} Pictures (M, C, H, W)
 * @typedef {{step: number, codes: string, made: Pictures | null, drawn?: Pictures | null}} Sent
 * @typedef {{step: number, codes: Float32Array, reach: number, made: Pictures | null, drawn: Pictures | null}} Frame
 * @typedef {{step: number, reconstruction: number, kl: number | null, kl_per_dim: number[] | null, beta: number | null}} Point
 */

/** Codes are sent as whole thousandths of a standard deviation of the prior. */
const UNIT = 1000;
/** Half of what the map shows at least: the prior's rings. */
export const REACH = 3.3;

/** @param {Sent} sent @returns {Frame} */
export function readFrame({ step, codes, made, drawn = null }) {
  const whole = Float32Array.from(new Int16Array(fromBase64(codes).buffer), (value) => value / UNIT);
  return { step, codes: whole, reach: reachOf(whole), made, drawn };
}

/** Half of what the map shows: the prior's rings, or nearly all codes. @param {Float32Array} codes */
function reachOf(codes) {
  const sizes = Array.from(codes, Math.abs).sort((a, b) => a - b);
  return Math.max(REACH, 1.12 * (sizes[Math.floor(0.985 * sizes.length)] ?? 0));
}

/**
 * Codes on the way from one frame to another, x and y in turn, in standard deviations of the prior.
 * @param {ArrayLike<number>} one
 * @param {ArrayLike<number>} other
 * @param {number} part from 0 to 1
 */
export function blendCodes(one, other, part) {
  const blended = new Float32Array(Math.min(one.length, other.length));
  for (let i = 0; i < blended.length; i++) blended[i] = one[i] + part * (other[i] - one[i]);
  return blended;
}

/**
 * The last log point at or before a step; the first one where none is.
 * @param {Point[]} log
 * @param {number} step
 */
export function pointAt(log, step) {
  const later = log.findIndex((point) => point.step > step);
  return later > 0 ? log[later - 1] : later < 0 ? log[log.length - 1] : log[0];
}
