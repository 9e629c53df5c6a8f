/**
 * Normals on the plane: mean (x, y), standard deviations a and b along two axes at right angles,
 * the first of which is turned by `angle` from the first latent.
 * @typedef {{x: number, y: number, a: number, b: number, angle: number}} Normal
 */

export const SMALLEST_SD = 1e-4;
export const LARGEST_SD = 4;

/** @type {Readonly<Normal>} */
export const PRIOR = Object.freeze({ x: 0, y: 0, a: 1, b: 1, angle: 0 });

/**
 * From a mean and a factor L of the covariance LLᵀ.
 * @param {{mean: number[], factor: number[][]}} given
 * @returns {Normal}
 */
export function fromFactor({ mean: [x, y], factor: [[l11, l12], [l21, l22]] }) {
  const xx = l11 * l11 + l12 * l12;
  const xy = l11 * l21 + l12 * l22;
  const yy = l21 * l21 + l22 * l22;
  if (Math.abs(xy) < 1e-12 * Math.sqrt(xx * yy)) {
    return { x, y, a: Math.sqrt(xx), b: Math.sqrt(yy), angle: 0 };
  }
  const angle = 0.5 * Math.atan2(2 * xy, xx - yy);
  const spread = Math.hypot((xx - yy) / 2, xy);
  const large = (xx + yy) / 2 + spread;
  // The product of both is the determinant; a difference would lose the small one.
  const small = (l11 * l22 - l12 * l21) ** 2 / large;
  return { x, y, a: Math.sqrt(large), b: Math.sqrt(small), angle };
}

/**
 * The same normal with its axes named so that they lie closest to another's.
 * @param {Normal} q @param {Normal} other @returns {Normal}
 */
export function alignedTo(q, other) {
  let best = q;
  let least = Infinity;
  for (let turns = -2; turns <= 2; turns++) {
    const angle = wrap(q.angle + (turns * Math.PI) / 2, other.angle);
    const cost = Math.abs(angle - other.angle);
    if (cost < least - 1e-9) {
      least = cost;
      best = turns % 2 ? { ...q, a: q.b, b: q.a, angle } : { ...q, angle };
    }
  }
  return best;
}

/**
 * `angle` plus whole half turns, at most a quarter turn from `near`.
 * @param {number} angle
 * @param {number} near
 */
const wrap = (angle, near) => angle - Math.PI * Math.round((angle - near) / Math.PI);

/**
 * An angle in (−90°, 90°]: half a turn changes nothing.
 * @param {number} angle
 */
export const plainAngle = (angle) => wrap(angle, 1e-9);

/**
 * Between two normals, 0 ≤ share ≤ 1; scales change geometrically.
 * @param {Normal} from
 * @param {Normal} to
 * @param {number} share
 * @returns {Normal}
 */
export function between(from, to, share) {
  const end = alignedTo(to, from);
  /**
   * @param {number} u
   * @param {number} v
   */
  const mix = (u, v) => u + (v - u) * share;
  return {
    x: mix(from.x, end.x),
    y: mix(from.y, end.y),
    a: Math.exp(mix(Math.log(from.a), Math.log(end.a))),
    b: Math.exp(mix(Math.log(from.b), Math.log(end.b))),
    angle: mix(from.angle, end.angle),
  };
}

/** KL(q ‖ N(0, I)), nats. @param {Normal} q */
export const klToPrior = ({ x, y, a, b }) =>
  0.5 * (a * a + b * b + x * x + y * y - 2) - Math.log(a * b);

/** The entropy of q, nats. @param {Normal} q */
export const entropy = ({ a, b }) => 1 + Math.log(2 * Math.PI) + Math.log(a * b);

/** Keep a dragged normal where the numbers are good. @param {Normal} q @returns {Normal} */
export function bounded(q) {
  /**
   * @param {number} value
   * @param {number} low
   * @param {number} high
   */
  const inside = (value, low, high) => Math.min(high, Math.max(low, value));
  return {
    x: inside(q.x, -20, 20),
    y: inside(q.y, -20, 20),
    a: inside(q.a, SMALLEST_SD, LARGEST_SD),
    b: inside(q.b, SMALLEST_SD, LARGEST_SD),
    angle: q.angle,
  };
}
