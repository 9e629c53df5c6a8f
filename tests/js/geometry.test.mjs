/** Paths, selections, projections and nearest points against known answers. */
import assert from "node:assert/strict";
import test from "node:test";

import { PointIndex } from "../../explorer/browser/map/geometry/nearest.js";
import { combine, lerp, norm, slerp, walk } from "../../explorer/browser/map/geometry/paths.js";
import { pairProjection, pcaProjection } from "../../explorer/browser/map/geometry/projection.js";
import { createRandom } from "../../explorer/browser/shared/random.js";
import { insideOutline, selectionCsv, summarise } from "../../explorer/browser/map/geometry/selection.js";
import { priorMass } from "../../explorer/browser/shared/special.js";
import { Viewport } from "../../explorer/browser/shared/viewport.js";

const F = (...values) => Float32Array.from(values);
const close = (a, b, tolerance = 1e-6) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

test("the prior's rings hold 39, 86 and 99 % in two dimensions, 68, 95 and 99.7 % in one", () => {
  [0.393469, 0.864665, 0.988891].forEach((mass, i) => close(priorMass(i + 1, 2), mass));
  [0.682689, 0.9545, 0.9973].forEach((mass, i) => close(priorMass(i + 1, 1), mass, 1e-5));
  close(priorMass(Math.sqrt(127.334), 128), 0.5, 1e-3);
});

test("lerp is straight, slerp keeps the length, both keep their ends", () => {
  const [a, b] = [F(1, 0), F(0, 1)];
  close(norm(slerp(a, b, 0.5)), 1);
  close(norm(lerp(a, b, 0.5)), Math.SQRT1_2);
  for (const kind of ["lerp", "slerp"]) {
    const way = walk(kind, a, b, 5);
    assert.deepEqual([...way[0]], [1, 0]);
    way[4].forEach((value, i) => close(value, b[i]));
  }
  assert.deepEqual([...slerp(F(0, 0), b, 0.5)], [0, 0.5], "no angle: straight");
  slerp(a, F(-1, 0), 0.3).forEach((value) => assert.ok(Number.isFinite(value)));
  assert.deepEqual([...combine(F(1, 2), F(3, 4), F(5, 6))], [3, 4]);
});

test("the index finds what a search through all would", () => {
  const random = createRandom(5);
  const xs = Float32Array.from({ length: 3000 }, () => random.normal());
  const ys = Float32Array.from({ length: 3000 }, () => random.normal() * 3);
  const index = new PointIndex(xs, ys);
  for (let n = 0; n < 200; n++) {
    const [x, y] = [3 * random.normal(), 5 * random.normal()];
    let best = 0;
    const square = (i) => (xs[i] - x) ** 2 + (ys[i] - y) ** 2;
    for (let i = 1; i < xs.length; i++) if (square(i) < square(best)) best = i;
    close(square(index.nearest(x, y)), square(best), 1e-9);
  }
  assert.equal(index.nearest(1000, 0, 1), -1);
  assert.equal(new PointIndex(F(2), F(3)).nearest(0, 0), 0);
});

test("an outline holds what lies in it, by the even–odd rule", () => {
  const outline = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]];
  const xs = F(1, 2, 2, 3.5, -1);
  const ys = F(1, 0.5, 3, 2, 1);
  assert.deepEqual(insideOutline(xs, ys, outline, () => true), [0, 1, 3]);
  assert.deepEqual(insideOutline(xs, ys, outline, (i) => i !== 0), [1, 3]);
});

test("a selection is counted and compared with the rest", () => {
  const codes = F(1, 0, 3, 0, 10, 2, 20, 4);
  const data = { codes, size: 2, count: 4, labels: Uint8Array.of(1, 1, 2, 2) };
  const { counts, latents } = summarise(data, [0, 1]);
  assert.equal(counts.get(1), 2);
  close(latents[0].mean, 2);
  close(latents[0].deviation, Math.SQRT2);
  close(latents[0].restMean, 15);
  close(latents[1].restDeviation, Math.SQRT2);
  assert.ok(Number.isNaN(summarise(data, [0, 1, 2, 3]).latents[0].restMean));
});

test("PCA finds the long axis and its share", () => {
  const random = createRandom(2);
  const codes = new Float32Array(3 * 4000);
  for (let n = 0; n < 4000; n++) {
    const [long, short] = [3 * random.normal(), random.normal()];
    codes.set([(long + short) / Math.SQRT2, (long - short) / Math.SQRT2, 0.1 * random.normal()], 3 * n);
  }
  const { xs, ys, share } = pcaProjection(codes, 3);
  const variance = (values) => values.reduce((sum, v) => sum + v * v, 0) / values.length;
  close(variance(xs), 9, 0.5);
  close(variance(ys), 1, 0.1);
  close(share[0], 0.9, 0.02);
});

test("a single latent is spread over a line", () => {
  const { xs, ys, dims } = pairProjection(F(1, 2, 3), 1, [0]);
  assert.deepEqual([...xs], [1, 2, 3]);
  assert.equal(dims.length, 1);
  assert.ok(ys.every((y) => Math.abs(y) < 1.2001));
});

test("zooming keeps the point under the pointer, panning follows it", () => {
  const view = Object.assign(new Viewport(), { width: 600, height: 400, scale: 50 });
  const before = view.toPlane(100, 50);
  view.zoomAt(100, 50, 3);
  view.toPlane(100, 50).forEach((value, i) => close(value, before[i], 1e-9));
  view.panBy(30, -20);
  view.toPlane(130, 30).forEach((value, i) => close(value, before[i], 1e-9));
});

test("a class that would be a formula is text in the table of a selection, and numbers stay", () => {
  const classes = ["=1+1", "@cmd", "-x", "\t=1", "-1", 'a "b", c', "digits"];
  const app = {
    size: 1, labels: classes.map((_, i) => i), header: { classes }, idOf: (i) => i, codeAt: () => F(-2),
  };
  const cells = selectionCsv(app, app.labels).split("\n").slice(1, -1).map((line) => line.slice(2, -3));
  assert.deepEqual(cells, ["'=1+1", "'@cmd", "'-x", "'\t=1", "-1", '"a ""b"", c"', "digits"]);
});
