import { createRandom } from "../shared/random.js";
import { gaussianKl } from "./model.js";
import { Prior } from "./prior.js";

const STANDARD = new Prior(null);
const DRAWS = 512;
const BUDGET_MS = 6;

/**
 * The ELBO of the chosen picture by Monte Carlo in the browser, and a bound on log p(x) from the
 * same draws. Reconstruction is E_q[−log p(x|z)]; KL is in closed form, against a learned mixture
 * from the draws; the importance-weighted bound (Burda et al. 2015, Eq. 8) lies between the ELBO
 * and log p(x). All in nats.
 * Runs a few milliseconds at a time and tells the store as it gets better.
 *
 * @typedef {import("./model.js").Model} Model
 * @typedef {{x: Float32Array, mean: Float32Array, logvar: Float32Array}} Scored an image and its q(z|x)
 * @typedef {{x: Float32Array, mean: Float32Array, logvar: Float32Array | null, id: number, live?: boolean}} Input
 * @typedef {ReturnType<typeof readSums> & {kl: number}} Estimate
 * @typedef {object} Page
 * @property {import("../shared/store.js").Store<{input: Input | null, estimate: Estimate | null}>} store
 * @property {Model | import("./remote.js").RemoteModel} model
 * @property {number | undefined} estimating the timer of what is under way
 *
 * @param {Page} app
 */
export function estimateBound(app) {
  const { input } = app.store.state;
  const { model } = app;
  clearTimeout(app.estimating);
  if (!input?.logvar || !model.isLocal) return;
  const { x, mean, logvar } = input;
  const closed = gaussianKl(mean, logvar).reduce((sum, value) => sum + value, 0);
  const sums = startSums();
  const random = createRandom(20250 + input.id);
  const z = new Float32Array(mean.length);
  const work = () => {
    const until = performance.now() + BUDGET_MS;
    while (sums.count < DRAWS && performance.now() < until) {
      addDraw(sums, drawOnce(model, { x, mean, logvar }, z, random));
    }
    if (app.store.state.input !== input) return;
    const kl = model.prior.isStandard ? closed : sums.kl;
    app.store.set({ estimate: { kl, ...readSums(sums, kl) } });
    // While the hand moves, it goes first.
    if (sums.count < DRAWS) app.estimating = window.setTimeout(work, input.live ? 120 : 16);
  };
  app.estimating = window.setTimeout(work, input.live ? 60 : 0);
}

/**
 * One draw of q: its −log p(x|z) and its log importance weight.
 * @param {Model} model
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
