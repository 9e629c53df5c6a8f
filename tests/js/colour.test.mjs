/** Numbers by a scale, words by counts: what the map's colours and the lasso's figures say. */
import assert from "node:assert/strict";
import test from "node:test";

import { tellFactor } from "../../explorer/browser/map/geometry/factors.js";
import { SCALE, SHADE_COLOURS, scaleColour, shadesOf } from "../../explorer/browser/map/plane/scale.js";

test("the scale passes through its steps, and midway between them in the middle", () => {
  SCALE.forEach((colour, i) => assert.equal(scaleColour(i / 8), colour));
  assert.equal(scaleColour(1 / 16), "#461768"); // (44 01 54 + 47 2d 7b) / 2, rounded up
  assert.equal(scaleColour(-1), SCALE[0]);
  assert.equal(scaleColour(2), SCALE[8]);
});

test("the smallest number has the first shade, the largest the last, an unknown one is grey", () => {
  const shades = shadesOf({ values: [-2, 4, NaN], low: -2, high: 4 });
  assert.deepEqual(Array.from(shades, (n) => SHADE_COLOURS[n]), [SCALE[0], SCALE[8], "#888888"]);
});

test("a selection tells mean ± standard deviation of numbers and counts of words", () => {
  const number = { name: "hue", words: null, values: Float32Array.of(1, 9, 3, NaN), low: 1, high: 9 };
  assert.equal(tellFactor(number, [0, 2, 3]).split(" ± ").map(Number).map((v) => v.toFixed(2)).join(), "2.00,1.41");
  const word = { name: "kind", words: ["cat", "dog"], values: Uint8Array.of(0, 1, 1), low: 0, high: 0 };
  assert.equal(tellFactor(word, [0, 1, 2]), "dog: 2, cat: 1");
  assert.equal(tellFactor(word, []), "–");
});
