/** The lens: normals, quadrature and contours; fixtures are written by tests/export/test_lens.py. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { levelLines } from "../../explorer/browser/lens/contours.js";
import { alignedTo, between, bounded, entropy, fromFactor, klToPrior, plainAngle, PRIOR } from "../../explorer/browser/lens/gaussian.js";
import { hermiteRule, Scorer } from "../../explorer/browser/lens/quadrature.js";
import { Model } from "../../explorer/browser/model/model.js";
import { readPayload } from "../../explorer/browser/shared/payload.js";

const folder = process.env.LENS_FIXTURES;
const names = folder ? readdirSync(folder).filter((name) => name.endsWith(".bin")) : [];
const close = (a, b, tolerance = 1e-9) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

test("Gauss–Hermite rules integrate the moments of a normal", () => {
  for (const count of [1, 2, 4, 5, 8, 12, 18, 27, 40]) {
    const { points, weights } = hermiteRule(count);
    const moment = (power) => points.reduce((sum, point, i) => sum + weights[i] * point ** power, 0);
    close(moment(0), 1, 1e-12);
    close(moment(1), 0, 1e-12);
    if (count > 1) close(moment(2), 1, 1e-12);
    if (count > 2) close(moment(4), 3, 1e-11);
  }
});

test("a normal keeps its covariance through its axes", () => {
  for (const factor of [[[0.5, 0], [0.3, 0.2]], [[0.01, 0], [-0.02, 0.5]], [[1, 0], [0, 0.1]], [[0.3, 0], [0, 0.3]]]) {
    const q = fromFactor({ mean: [1, -2], factor });
    const [c, s] = [Math.cos(q.angle), Math.sin(q.angle)];
    const [[l, m], [n, o]] = factor;
    close(q.a ** 2 * c * c + q.b ** 2 * s * s, l * l + m * m);
    close((q.a ** 2 - q.b ** 2) * c * s, l * n + m * o);
    close(q.a ** 2 * s * s + q.b ** 2 * c * c, n * n + o * o);
  }
});

test("KL to the prior and entropy have their closed forms", () => {
  close(klToPrior(PRIOR), 0);
  close(klToPrior({ x: 0.3, y: -0.4, a: 0.5, b: 2, angle: 1 }), 0.5 * (0.25 + 4 + 0.25 - 2) - Math.log(1));
  close(entropy(PRIOR), 1 + Math.log(2 * Math.PI));
});

test("the way between two normals turns as little as it can", () => {
  const from = { x: 0, y: 0, a: 1, b: 0.1, angle: 0.1 };
  const to = { x: 1, y: 1, a: 0.2, b: 2, angle: 0.1 + Math.PI / 2 + 0.05 };
  const aligned = alignedTo(to, from);
  close(aligned.angle, 0.15);
  assert.deepEqual([aligned.a, aligned.b], [2, 0.2]);
  const half = between(from, to, 0.5);
  close(half.x, 0.5);
  close(half.a, Math.SQRT2);
  close(plainAngle(Math.PI + 0.2), 0.2);
  assert.ok(bounded({ x: 1e9, y: 0, a: 0, b: 99, angle: 0 }).a > 0);
});

test("a level line of a round hill is a circle", () => {
  const side = 61;
  const values = new Float32Array(side * side);
  for (let r = 0; r < side; r++) for (let c = 0; c < side; c++) values[r * side + c] = -((c - 30) ** 2) - (r - 30) ** 2;
  values.shape = [side, side];
  const lines = levelLines({ left: -3, bottom: -3, step: 0.1, values }, -400);
  assert.ok(lines.length > 100);
  for (const [x, y] of lines) close(Math.hypot(x, y), 2, 0.01);
});

for (const name of names) {
  test(`${name}: the ELBO is the library's`, () => {
    const header = readPayload(new Uint8Array(readFileSync(join(folder, name))));
    const rows = JSON.parse(readFileSync(join(folder, name.replace(".bin", ".json")), "utf8"));
    const scorer = new Scorer(new Model(header), header.x);
    for (const row of rows) {
      const { reconstruction, kl } = scorer.score(fromFactor(row), 32);
      close(-reconstruction - kl, row.elbo, 0.03);
      close(kl, row.kl, 0.01);
    }
    close(header.exact.log_px, rows[0].log_px, 1e-6);
    const few = scorer.affordable(14);
    assert.ok(few >= 4 && few <= 10);
  });
}
