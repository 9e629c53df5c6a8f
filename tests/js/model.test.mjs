/** The interpreter against PyTorch: fixtures are written by tests/test_export_payload.py. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { gaussianKl, Model } from "../../explorer/app/components/latent_map/model.js";
import { readPayload } from "../../explorer/app/components/latent_map/payload.js";
import { createRandom } from "../../explorer/app/components/latent_map/random.js";

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
    }
  });

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
