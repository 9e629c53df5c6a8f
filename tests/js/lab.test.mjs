/** The β lab's picture: which models the hand goes through, and what stands between two of them. */
import assert from "node:assert/strict";
import test from "node:test";

import { between, codesAt, figuresAt, lineOf, mixShares, placeAt } from "../../explorer/browser/lab/line.js";
import { boundsOf, niceStep, project } from "../../explorer/browser/lab/plane.js";

/** @param {string} name @param {number[]} at */
const member = (name, at) => ({ name, at });
const point = (step, reconstruction, kl) => ({ step, reconstruction, kl, kl_per_dim: [kl], beta: 1 });
const frame = (step, ...codes) => ({ step, codes: Float32Array.from(codes), reach: 3.3, made: null, drawn: null });

test("the hand goes through the models that differ in its setting alone, in order", () => {
  const grid = [member("c", [2, 0]), member("a", [0, 0]), member("x", [1, 1]), member("b", [1, 0])];
  assert.deepEqual(lineOf(grid, 0, [1, 0]).map(({ name }) => name), ["a", "b", "c"]);
  assert.deepEqual(lineOf(grid, 1, [1, 0]).map(({ name }) => name), ["b", "x"]);
});

test("neighbours of a number, and none beyond the ends", () => {
  assert.deepEqual(between([0, 10, 30], 15), [1, 2, 0.25]);
  assert.deepEqual(between([0, 10, 30], 10), [1, 1, 0]);
  assert.deepEqual(between([0, 10, 30], -5), [0, 0, 0]);
  assert.deepEqual(between([0, 10, 30], 99), [2, 2, 0]);
});

test("codes move along straight lines between two frames of a training", () => {
  const film = { frames: [frame(0, 0, 0), frame(10, 2, -4)] };
  assert.deepEqual([...codesAt(film, 5)], [1, -2]);
  assert.deepEqual([...codesAt(film, 99)], [2, -4]);
});

test("figures are those that were logged, and at the end those of the finished model", () => {
  const trained = { log: [point(10, 80, 1), point(20, 60, 3)], final: point(0, 59, 3.2) };
  assert.equal(figuresAt(trained, 19).reconstruction, 80, "nothing is interpolated");
  assert.equal(figuresAt(trained, 20).reconstruction, 60);
  assert.equal(figuresAt(trained, null).reconstruction, 59);
  assert.deepEqual(placeAt(trained, 15), [2, 70], "the point on the plane moves");
  assert.deepEqual(placeAt(trained, null), [3.2, 59]);
});

test("a model with fewer latents has no share of those that it lacks", () => {
  assert.deepEqual(mixShares([4, 2], [2], 0.5), [3, 1]);
});

test("the plane holds every model, KL to the right, reconstruction upwards", () => {
  const bounds = boundsOf([[2, 100], [10, 50]]);
  const at = project(bounds, 400, 300);
  const [[x, y], [u, v]] = [at([2, 100]), at([10, 50])];
  assert.ok(x < u && y < v, "distortion falls as the rate rises");
  for (const [place, end] of [[x, 400], [u, 400], [y, 300], [v, 300]]) assert.ok(place > 0 && place < end);
  assert.deepEqual(at([99, 0]), at([bounds.right, bounds.low]), "what is outside lies at the edge");
});

test("steps of a scale are one, two or five times a power of ten", () => {
  assert.deepEqual([0.7, 1.2, 3, 6, 8, 230].map(niceStep), [0.5, 1, 2, 5, 10, 200]);
});
