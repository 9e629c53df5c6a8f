/** The interpreter against PyTorch: fixtures are written by tests/export/test_payload.py. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { addDraw, drawOnce, startSums } from "../../explorer/browser/model/estimate.js";
import { Model } from "../../explorer/browser/model/model.js";
import { readPayload } from "../../explorer/browser/shared/payload.js";
import { gaussianKl, Prior } from "../../explorer/browser/model/prior.js";
import { createRandom } from "../../explorer/browser/shared/random.js";

const folder = process.env.LATENT_FIXTURES;
const names = folder ? readdirSync(folder).filter((name) => name.endsWith(".bin")) : [];

function assertClose(actual, expected, tolerance, what) {
  assert.equal(actual.length, expected.length, what);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
  }
  assert.ok(worst <= tolerance, `${what}: off by ${worst}`);
}

test("fixtures are there when asked for", () => {
  if (folder) assert.ok(names.length > 0);
});

for (const name of names) {
  test(`${name}: as PyTorch`, () => {
    const header = readPayload(new Uint8Array(readFileSync(join(folder, name))));
    const expected = JSON.parse(readFileSync(join(folder, name.replace(".bin", ".json")), "utf8"));
    const model = new Model(header);
    for (const row of expected) {
      const x = Float32Array.from(row.x);
      const z = Float32Array.from(row.z);
      const { mean, logvar } = model.encode(x);
      assertClose(mean, row.mean, 1e-4, "mean of q");
      if (row.logvar) {
        assertClose(logvar, row.logvar, 1e-4, "logvar of q");
        assertClose(gaussianKl(mean, logvar), row.kl, 1e-3, "KL");
      }
      assertClose(model.picture(z), row.picture, 1e-4, "decoded mean");
      const deviation = model.picture(z, "deviation");
      assertClose(deviation, row.deviation, 1e-3, "decoded deviation");
      assertClose([model.nll(z, x) / row.nll], [1], 1e-4, "nll relative to PyTorch's");
      assertClose([model.prior.logDensity(z)], [row.log_prior], 1e-3, "log p(z)");
    }
  });

  // Of a trained model's pixels many are all but certain: the errors of their means are not normal.
  if (name.startsWith("shipped-")) continue;
  test(`${name}: samples have the mean and deviation they should`, () => {
    const header = readPayload(new Uint8Array(readFileSync(join(folder, name))));
    const model = new Model(header);
    const z = new Float32Array(model.latentSize).fill(0.3);
    const mean = model.picture(z).slice();
    const deviation = model.picture(z, "deviation").slice();
    const random = createRandom(7);
    const draws = 400;
    const sum = new Float64Array(mean.length);
    for (let n = 0; n < draws; n++) {
      const picture = model.picture(z, "sample", random);
      for (let i = 0; i < sum.length; i++) sum[i] += picture[i] / draws;
    }
    let squared = 0;
    for (let i = 0; i < sum.length; i++) {
      squared += ((sum[i] - mean[i]) / (deviation[i] / Math.sqrt(draws) + 1e-9)) ** 2;
    }
    // Standardised errors of independent pixels: their mean square is 1 ± a few √(2/D).
    assert.ok(Math.abs(squared / sum.length - 1) < 6 * Math.sqrt(2 / sum.length) + 0.05);
  });
}

test("a mixture is drawn as often from each normal as its weight says", () => {
  const prior = new Prior({ weights: [0.25, 0.75], mean: [[-10, 0], [10, 0]], scale: [[1, 1], [0.5, 1]] });
  const random = createRandom(5);
  const draws = Array.from({ length: 4000 }, () => prior.sample(2, random)[0]);
  const right = draws.filter((value) => value > 0);
  assert.ok(Math.abs(right.length / 4000 - 0.75) < 0.03);
  const spread = right.reduce((sum, value) => sum + (value - 10) ** 2, 0) / right.length;
  assert.ok(Math.abs(spread - 0.25) < 0.03);
});

test("KL against a mixture is estimated from the draws that the bound is made of", () => {
  const standard = { weights: [1], mean: [[0, 0]], scale: [[1, 1]] };
  const model = { prior: new Prior(standard), nll: () => 3 };
  const input = { x: null, mean: [1, -0.5], logvar: [-2, 0.5] };
  const sums = startSums();
  const random = createRandom(9);
  const z = new Float32Array(2);
  for (let n = 0; n < 20000; n++) addDraw(sums, drawOnce(model, input, z, random));
  const closed = gaussianKl(Float32Array.from(input.mean), Float32Array.from(input.logvar));
  assert.ok(Math.abs(sums.kl - closed[0] - closed[1]) < 0.05);
});

test("the generator is seeded and normal", () => {
  const [a, b] = [createRandom(3), createRandom(3)];
  let [sum, squares] = [0, 0];
  for (let i = 0; i < 20000; i++) {
    const value = a.normal();
    assert.equal(value, b.normal());
    sum += value;
    squares += value * value;
  }
  assert.ok(Math.abs(sum / 20000) < 0.03 && Math.abs(squares / 20000 - 1) < 0.05);
});
