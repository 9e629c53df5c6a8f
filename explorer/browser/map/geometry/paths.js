/**
 * Ways between two points of the latent space, and sums of points.
 * @typedef {"lerp" | "slerp"} Way
 */

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} t from 0 (a) to 1 (b)
 */
export function lerp(a, b, t) {
  return a.map((value, i) => value + t * (b[i] - value));
}

/**
 * Along the arc, lengths interpolated too (Shoemake 1985; White 2016): in many dimensions a
 * straight line cuts through the empty middle of the prior. Falls back to `lerp` where there is no
 * angle to speak of.
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} t
 */
export function slerp(a, b, t) {
  const [la, lb] = [norm(a), norm(b)];
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += a[i] * b[i];
  const cosine = Math.min(1, Math.max(-1, dot / (la * lb)));
  const angle = Math.acos(cosine);
  if (!(la > 1e-6 && lb > 1e-6) || Math.sin(angle) < 1e-4) return lerp(a, b, t);
  const length = la + t * (lb - la);
  const [wa, wb] = [Math.sin((1 - t) * angle), Math.sin(t * angle)].map((s) => s / Math.sin(angle));
  return a.map((value, i) => length * ((wa * value) / la + (wb * b[i]) / lb));
}

export const WAYS = { lerp, slerp };

/**
 * @param {Way} kind
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} count
 * @returns {Float32Array[]} `count` points from a to b, both ends included
 */
export function walk(kind, a, b, count) {
  return Array.from({ length: count }, (_, n) => WAYS[kind](a, b, n / (count - 1)));
}

/**
 * a − b + c
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {Float32Array} c
 */
export function combine(a, b, c) {
  return a.map((value, i) => value - b[i] + c[i]);
}

/** @param {Float32Array} z */
export function norm(z) {
  let sum = 0;
  for (const value of z) sum += value * value;
  return Math.sqrt(sum);
}
