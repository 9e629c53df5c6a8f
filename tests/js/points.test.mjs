/** What a map is made of before its first paint: the bytes of a page, and the points in mixed order. */
import assert from "node:assert/strict";
import test from "node:test";

import { PointLayer } from "../../explorer/browser/map/plane/points.js";
import { fromBase64, toBase64 } from "../../explorer/browser/shared/base64.js";

globalThis.document ??= { createElement: () => ({}) };

test("every byte survives the way through text", () => {
  const bytes = Uint8Array.from({ length: 20000 }, (_, i) => (i * 7) % 256);
  assert.equal(toBase64(bytes), Buffer.from(bytes).toString("base64"));
  assert.deepEqual(fromBase64(Buffer.from(bytes).toString("base64")), bytes);
  assert.deepEqual(fromBase64(""), new Uint8Array(0));
});

test("points are mixed, and each keeps its place, class and shade", () => {
  const xs = Float32Array.from({ length: 500 }, (_, i) => i);
  const layer = new PointLayer();
  layer.setPoints({ xs, ys: xs.map((x) => 500 - x) }, xs.map((x) => x % 7), Uint8Array.from(xs, (x) => x % 11));
  assert.deepEqual(Array.from(layer.xs).sort((a, b) => a - b), Array.from(xs));
  assert.notDeepEqual(layer.xs, xs);
  layer.xs.forEach((x, at) => {
    assert.equal(layer.order[at], x);
    assert.equal(layer.ys[at], 500 - x);
    assert.equal(layer.labels[at], x % 7);
    assert.equal(layer.shades?.[at], x % 11);
  });
  assert.equal(layer.classCount, 7);
});

test("without classes all points are of one", () => {
  const layer = new PointLayer();
  layer.setPoints({ xs: new Float32Array(3), ys: new Float32Array(3) }, null);
  assert.deepEqual(layer.labels, new Int32Array(3));
  assert.equal(layer.classCount, 1);
  assert.equal(layer.shades, null);
});
