/** What an address may say: checked, clamped, or ignored. */
import assert from "node:assert/strict";
import test from "node:test";

import { parseScene, readNumber, readVector } from "../../explorer/browser/map/scene/scene.js";

const limits = {
  size: 3,
  order: [0, 1, 2],
  defaults: { points: true, prior: true, density: false },
  outputs: ["mean", "sample"],
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
