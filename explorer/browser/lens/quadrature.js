import { entropy, klToPrior } from "./gaussian.js";

/**
 * E_q[f(z)] of a normal q on the plane by Gauss–Hermite quadrature.
 */

const NEGLIGIBLE = 1e-9;
/** @type {Map<number, {points: Float64Array, weights: Float64Array}>} */
const rules = new Map();

/**
 * Nodes and weights for E[f(ε)], ε ~ N(0, 1): roots of the Hermite polynomial by Newton's method.
 * @param {number} count
 */
export function hermiteRule(count) {
  const known = rules.get(count);
  if (known) return known;
  const points = new Float64Array(count);
  const weights = new Float64Array(count);
  let root = 0;
  for (let i = 0; i < (count + 1) >> 1; i++) {
    if (i === 0) root = Math.sqrt(2 * count + 1) - 1.85575 * (2 * count + 1) ** (-1 / 6);
    else if (i === 1) root -= (1.14 * count ** 0.426) / root;
    else if (i === 2) root = 1.86 * root - 0.86 * (points[0] / Math.SQRT2);
    else if (i === 3) root = 1.91 * root - 0.91 * (points[1] / Math.SQRT2);
    else root = 2 * root - points[i - 2] / Math.SQRT2;
    let slope = 1;
    for (let step = 0; step < 60; step++) {
      let [p, before] = [Math.PI ** -0.25, 0];
      for (let k = 0; k < count; k++) {
        [p, before] = [root * Math.sqrt(2 / (k + 1)) * p - Math.sqrt(k / (k + 1)) * before, p];
      }
      slope = Math.sqrt(2 * count) * before;
      const change = p / slope;
      root -= change;
      if (Math.abs(change) < 1e-14) break;
    }
    points[i] = root * Math.SQRT2;
    points[count - 1 - i] = -points[i];
    weights[i] = weights[count - 1 - i] = 2 / (slope * slope) / Math.sqrt(Math.PI);
  }
  if (count % 2) points[count >> 1] = 0;
  const rule = { points, weights };
  rules.set(count, rule);
  return rule;
}

/** The terms of the ELBO of normals for one image, through the decoder in the browser. */
export class Scorer {
  /**
   * @param {import("../model/model.js").Model} model
   * @param {Float32Array} x the image as it is scored
   */
  constructor(model, x) {
    this.model = model;
    this.x = x;
    this.z = new Float32Array(2);
    /** Milliseconds per decoded z, a running mean. */
    this.cost = 0.4;
  }

  /**
   * Reconstruction and KL by count² nodes; yields between chunks so that a caller may pause.
   * @param {import("./gaussian.js").Normal} q
   * @param {number} count
   * @returns {Generator<void, {reconstruction: number, kl: number}, void>}
   */
  *steps(q, count) {
    const { points, weights } = hermiteRule(count);
    const { isStandard } = this.model.prior;
    const [cos, sin] = [Math.cos(q.angle), Math.sin(q.angle)];
    let [sum, prior, total, done] = [0, 0, 0, 0];
    let start = performance.now();
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const weight = weights[i] * weights[j];
        if (weight < NEGLIGIBLE) continue;
        const [u, v] = [points[i] * q.a, points[j] * q.b];
        this.z[0] = q.x + u * cos - v * sin;
        this.z[1] = q.y + u * sin + v * cos;
        sum += weight * this.model.nll(this.z, this.x);
        if (!isStandard) prior += weight * this.model.prior.logDensity(this.z);
        total += weight;
        if (++done % 32 === 0) {
          const now = performance.now();
          this.cost += 0.2 * ((now - start) / 32 - this.cost);
          yield;
          start = performance.now();
        }
      }
    }
    const kl = isStandard ? klToPrior(q) : -entropy(q) - prior / total;
    return { reconstruction: sum / total, kl };
  }

  /**
   * As `steps`, at once.
   * @param {import("./gaussian.js").Normal} q
   * @param {number} count
   */
  score(q, count) {
    const steps = this.steps(q, count);
    let step = steps.next();
    while (!step.done) step = steps.next();
    return /** @type {{reconstruction: number, kl: number}} */ (step.value);
  }

  /**
   * How many nodes per axis fit into so many milliseconds.
   * @param {number} milliseconds
   */
  affordable(milliseconds) {
    const count = Math.floor(Math.sqrt(milliseconds / Math.max(this.cost, 1e-3)));
    return Math.min(10, Math.max(4, count));
  }
}
