/** A canvas that a browser changes is known by one value that is not what was drawn. */
import assert from "node:assert/strict";
import test from "node:test";

import { differs, patternAt } from "../../explorer/browser/shared/canvas.js";

const SIDE = 8;
const drawn = () => {
  const data = new Uint8ClampedArray(4 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) data.set([...patternAt(i % SIDE, Math.floor(i / SIDE)), 255], 4 * i);
  return data;
};

test("what was drawn is what is read", () => assert.equal(differs(drawn(), SIDE), false));

test("one step in one colour of one pixel is a change, and so is white", () => {
  const noisy = drawn();
  noisy[4 * (5 * SIDE + 3) + 1] ^= 1;
  assert.equal(differs(noisy, SIDE), true);
  assert.equal(differs(new Uint8ClampedArray(4 * SIDE * SIDE).fill(255), SIDE), true);
});

test("the pattern has many colours and no neighbours alike", () => {
  const colours = new Set();
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      colours.add(String(patternAt(x, y)));
      assert.notDeepEqual(patternAt(x, y), patternAt(x + 1, y));
      assert.notDeepEqual(patternAt(x, y), patternAt(x, y + 1));
    }
  }
  assert.equal(colours.size, SIDE * SIDE);
});
