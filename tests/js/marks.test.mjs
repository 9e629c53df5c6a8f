/** What is written on the latent plane: names of classes, where they say something. */
import assert from "node:assert/strict";
import test from "node:test";

import { lieApart } from "../../explorer/browser/shared/marks.js";

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
