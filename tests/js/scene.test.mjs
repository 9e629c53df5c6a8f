/** What an address may say: checked, clamped, or ignored. */
import assert from "node:assert/strict";
import test from "node:test";

import { parseScene, readNumber, readVector } from "../../explorer/browser/map/scene/scene.js";
import { standsAt } from "../../explorer/browser/map/scene/state.js";

const limits = {
  size: 3,
  order: [0, 1, 2],
  defaults: { points: true, prior: true, density: false },
  outputs: ["mean", "sample"],
  tabs: ["likelihood", "path", "arithmetic"],
};
const parse = (text) => parseScene(new URLSearchParams(text), limits);

test("numbers are clamped, anything else is nothing", () => {
  assert.equal(readNumber("5", 0, 3), 3);
  assert.equal(readNumber("-1e9", -2, 3), -2);
  for (const text of ["", " ", "x", "NaN", "Infinity", null, undefined]) {
    assert.equal(readNumber(text, 0, 1), undefined);
  }
});

test("a vector has exactly so many numbers", () => {
  assert.deepEqual([...readVector("1,2,3", 3)], [1, 2, 3]);
  assert.equal(readVector("1,2", 3), undefined);
  assert.equal(readVector("1,2,x", 3), undefined);
  assert.deepEqual([...readVector("1e9,0,0", 3)], [1000, 0, 0]);
});

test("pins, layers, pair, view and flags are read", () => {
  const scene = parse("z=1,2,3&pins=1,1,1;bad;2,2,2&layers=pd&map=3-1&view=0,1,200&hide=draw,evil&out=sample");
  assert.deepEqual(scene.state.pins.map(({ name }) => name), ["A", "B"]);
  assert.deepEqual(scene.state.layers, { points: true, prior: false, density: true });
  assert.deepEqual(scene.state.projection, { kind: "pair", dims: [2, 0] });
  assert.deepEqual(scene.view, { x: 0, y: 1, scale: 200 });
  assert.deepEqual(scene.hide, ["draw"]);
  assert.equal(scene.state.outputMode, "sample");
});

test("what cannot be is left as it opens", () => {
  const scene = parse("z=1&layers=%3Cb%3E&map=1-1&out=evil&way=warp&view=1&picture=x&seed=x");
  assert.deepEqual(scene.state, {});
  assert.equal(scene.view, undefined);
  assert.equal(scene.picture, undefined);
  assert.equal(parse("view=0,0,1e30").view.scale, 1000);
});

test("the open tab, the view of x and the terms of the arithmetic are read", () => {
  const { state, bad } = parse("tab=arithmetic&see=grey&sum=3,1,A");
  assert.equal(state.tab, "arithmetic");
  assert.equal(state.inputView, "grey");
  assert.deepEqual(state.terms, ["class 3", "class 1", "pin A"]);
  assert.deepEqual(bad, []);
});

test("what is there and cannot be is named, each once; what is not there is not", () => {
  const scene = parse("z=1&pins=1,1,1;bad&layers=%3Cb%3E&map=1-1&out=evil&tab=evil&see=x&sum=1,2&off=a&beta=b&view=");
  assert.deepEqual(scene.bad.sort(), ["beta", "layers", "map", "off", "out", "pins", "see", "sum", "tab", "z"]);
  assert.equal(scene.state.pins.length, 1);
  assert.deepEqual(parse("").bad, []);
  assert.ok(parse("map=tsne").tsne && !parse("map=pca").tsne);
});

test("z as an address rounds it still stands at its picture", () => {
  const mean = Float32Array.of(0.12345, -1.98765);
  assert.ok(standsAt(Float32Array.of(0.123, -1.988), mean));
  assert.ok(!standsAt(Float32Array.of(0.125, -1.988), mean));
});
