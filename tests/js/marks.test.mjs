/** What is written on the latent plane: names of classes, where they say something. */
import assert from "node:assert/strict";
import test from "node:test";

import { lieApart, stepAside } from "../../explorer/browser/shared/marks.js";

test("classes are named where they lie apart, and not where a collapsed code piles them up", () => {
  const pile = [{ x: 100, y: 80 }, { x: 104, y: 82 }, { x: 99, y: 75 }];
  assert.equal(lieApart(pile, 14), false);
  assert.equal(lieApart([...pile, { x: 100, y: 95 }], 14), true);
  assert.equal(lieApart([{ x: 100, y: 80 }, { x: 115, y: 80 }], 14), true);
});

test("a single class is named wherever it lies", () => {
  assert.equal(lieApart([{ x: 0, y: 0 }], 14), true);
  assert.equal(lieApart([], 14), true);
});

test("a name that would cover another stands above or below it, whichever is nearer", () => {
  const [first, second, far] = stepAside(
    [{ x: 50, y: 50, width: 60 }, { x: 90, y: 53, width: 40 }, { x: 150, y: 50, width: 60 }], 14,
  );
  assert.equal(first.y, 50);
  assert.equal(second.y, 64);
  assert.equal(far.y, 50);
});

test("a name steps past all that stand there", () => {
  const heights = stepAside(Array.from({ length: 4 }, () => ({ x: 0, y: 100, width: 9 })), 10).map(({ y }) => y);
  assert.deepEqual([...heights].sort((a, b) => a - b), [80, 90, 100, 110]);
});
