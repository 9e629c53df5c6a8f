/** The axis under the two bars: cut where it helps, still while a hand moves. */
import assert from "node:assert/strict";
import test from "node:test";

import { chooseAxis } from "../../explorer/browser/shared/bars_axis.js";

const sums = (reconstruction, kl, gap) => ({ reconstruction, kl, logPx: gap - reconstruction - kl });
const fits = ({ cut, span }, { reconstruction, kl, logPx }) =>
  cut <= Math.min(reconstruction, -logPx) && cut + span >= reconstruction + kl;

test("both bars fit, the short parts at a scale of their own", () => {
  for (const given of [sums(150, 6, 2), sums(80, 20, 5), sums(1500, 3, 40), sums(-700, 12, 3), sums(4, 0.05, 2)]) {
    const axis = chooseAxis(null, given, false);
    assert.ok(fits(axis, given), JSON.stringify({ given, axis }));
    assert.equal(axis.broken, axis.cut === 0 ? 0 : 1);
  }
  assert.ok(chooseAxis(null, sums(1500, 6, 2), false).span <= 20);
});

test("a short sum is drawn whole, from 0", () => {
  assert.deepEqual(chooseAxis(null, sums(4, 0.05, 2), false), { cut: 0, span: 5, broken: 0 });
});

test("while a hand moves the axis stands still as long as the bars fit, and grows when they do not", () => {
  const start = chooseAxis(null, sums(150, 20, 10), false);
  for (const given of [sums(149, 12, 1), sums(155, 5, 1), sums(146, 1, 0)]) {
    assert.deepEqual(chooseAxis(start, given, true), start);
  }
  const far = sums(250, 20, 110);
  const grown = chooseAxis(start, far, true);
  assert.ok(grown.span > start.span && fits(grown, far));
  const small = sums(150, 3, 1);
  assert.deepEqual(chooseAxis(grown, small, true), grown);
  const settled = chooseAxis(grown, small, false);
  assert.ok(settled.span < grown.span && fits(settled, small));
});
