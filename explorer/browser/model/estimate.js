import { createRandom } from "../shared/random.js";
import { gaussianKl, Prior } from "./prior.js";

const STANDARD = new Prior(null);
const DRAWS = 512;
const BUDGET_MS = 6;

/**
 * The ELBO of a picture by Monte Carlo, and a bound on log p(x) from the same draws. Reconstruction
 * is E_q[−log p(x|z)]; KL is in closed form, against a learned mixture from the draws; the
 * importance-weighted bound (Burda et al. 2015, Eq. 8) lies between the ELBO and log p(x). All in
 * nats. It gets better a few milliseconds at a time, here or in a worker.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {{x: Float32Array, mean: Float32Array, logvar: Float32Array}} Scored an image and its q(z|x)
 * @typedef {{x: Float32Array, mean: Float32Array, logvar: Float32Array | null, id: number, live?: boolean}} Input
 * @typedef {ReturnType<typeof readSums> & {kl: number}} Estimate
 */
export class Estimating {
  /**
   * @param {Pick<Model, "nll" | "prior">} model
   * @param {Scored} scored
   * @param {number} seed
   */
  constructor(model, scored, seed) {
    this.model = model;
    this.scored = scored;
    this.random = createRandom(20250 + seed);
    this.sums = startSums();
    this.z = new Float32Array(scored.mean.length);
    this.closed = gaussianKl(scored.mean, scored.logvar).reduce((sum, value) => sum + value, 0);
  }

  get done() {
    return this.sums.count >= DRAWS;
  }

  /**
   * Draw for a while, once at least.
   * @returns {Estimate}
   */
  go() {
    const { model, scored, sums, z, random } = this;
    const until = performance.now() + BUDGET_MS;
    do addDraw(sums, drawOnce(model, scored, z, random));
    while (!this.done && performance.now() < until);
    const kl = model.prior.isStandard ? this.closed : sums.kl;
    return { kl, ...readSums(sums, kl) };
  }
}

/**
 * Estimate the chosen picture's ELBO for the page, as long as it stays the chosen one.
 * @param {object} page
 * @param {import("../shared/store.js").Store<{input: Input | null, estimate: Estimate | null}>} page.store
 * @param {import("./choose.js").AnyModel} page.model
 */
export function estimateBound({ store, model }) {
  const { input } = store.state;
  if (!model.canScore) return;
  if (!input?.logvar) return model.estimateSoon(null, 0, false, () => {});
  const { x, mean, logvar } = input;
  model.estimateSoon({ x, mean, logvar }, input.id, Boolean(input.live), (estimate) => {
    if (store.state.input === input) store.set({ estimate });
  });
}

/**
 * One draw of q: its −log p(x|z) and its log importance weight.
 * @param {Pick<Model, "nll" | "prior">} model
 * @param {Scored} scored
 * @param {Float32Array} z written into
 * @param {import("../shared/random.js").Random} random
 */
export function drawOnce(model, { x, mean, logvar }, z, random) {
  let logRatio = 0; // log p(z) − log q(z|x): the 2π cancel
  for (let i = 0; i < z.length; i++) {
    const noise = random.normal();
    z[i] = mean[i] + Math.exp(0.5 * logvar[i]) * noise;
    logRatio += 0.5 * (noise * noise - z[i] * z[i] + logvar[i]);
  }
  if (!model.prior.isStandard) {
    logRatio += model.prior.logDensity(z) - STANDARD.logDensity(z);
  }
  const nll = model.nll(z, x);
  return { nll, logWeight: logRatio - nll };
}

/** @typedef {ReturnType<typeof startSums>} Sums */

export function startSums() {
  return { count: 0, sum: 0, squares: 0, kl: 0, top: -Infinity, weight: 0, weightSquares: 0 };
}

/**
 * Add one draw; weights are kept relative to the largest, so that none overflows.
 * @param {Sums} sums
 * @param {{nll: number, logWeight: number}} draw
 */
export function addDraw(sums, { nll, logWeight }) {
  sums.count += 1;
  const delta = nll - sums.sum;
  sums.sum += delta / sums.count; // running mean
  sums.squares += delta * (nll - sums.sum);
  sums.kl += (-logWeight - nll - sums.kl) / sums.count; // the mean of log q(z|x) − log p(z)
  if (logWeight > sums.top) {
    const fall = Math.exp(sums.top - logWeight);
    sums.weight *= fall;
    sums.weightSquares *= fall * fall;
    sums.top = logWeight;
  }
  const w = Math.exp(logWeight - sums.top);
  sums.weight += w;
  sums.weightSquares += w * w;
}

/**
 * Reconstruction ± standard error, and −log p(x) from above with its relative error.
 * @param {Sums} sums
 * @param {number} kl
 */
export function readSums(sums, kl) {
  const { count } = sums;
  const error = count > 1 ? Math.sqrt(sums.squares / (count - 1) / count) : NaN;
  const marginal = -(sums.top + Math.log(sums.weight / count));
  const meanWeight = sums.weight / count;
  const variance = Math.max(0, sums.weightSquares / count - meanWeight ** 2);
  const marginalError = count > 1 ? Math.sqrt(variance / (count - 1)) / meanWeight : NaN;
  return {
    draws: count,
    reconstruction: sums.sum,
    error,
    negativeElbo: sums.sum + kl,
    marginal,
    marginalError,
    effective: sums.weight ** 2 / sums.weightSquares,
  };
}
