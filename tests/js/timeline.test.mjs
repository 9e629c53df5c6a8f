/** The codes under the timeline's playhead: which frame is shown, and names that are never upon another. */
import assert from "node:assert/strict";
import test from "node:test";

import { frameAt } from "../../explorer/browser/timeline/moment.js";
import { joinNames, placeNames } from "../../explorer/browser/timeline/names.js";

const FRAME = { left: 0, right: 300, top: 0, bottom: 200 };
const WIDE = 6;
const measure = (text) => WIDE * text.length;
const point = (name, x, y, asleep = false) => ({ name, x, y, asleep });

test("shown is the last stored frame up to the step, never one from later", () => {
  const frames = [0, 10, 40].map((step) => ({ step }));
  assert.deepEqual([0, 9, 10, 39, Infinity].map((step) => frameAt(frames, step).step), [0, 0, 10, 10, 40]);
  assert.equal(frameAt(frames, -1).step, 0, "before the first frame there is none but that one");
  assert.equal(frameAt([], 5), undefined);
});

test("a heap of points has one name, and what is in use none with what sleeps", () => {
  const heap = ["a", "b", "c", "d", "e"].map((name, at) => point(name, 50 + at, 50, true));
  assert.deepEqual(joinNames(heap).map(({ text }) => text), ["a, b +3"]);
  assert.deepEqual(joinNames([...heap.slice(0, 2), point("f", 51, 50)]).map(({ text }) => text), ["a, b", "f"]);
});

test("no two names meet, and all lie within the frame", () => {
  const column = Array.from({ length: 7 }, (_, at) => point(`z${at + 1}`, 4, 60 + 13 * at));
  const edge = Array.from({ length: 4 }, (_, at) => point(`z${at + 8}`, 296, 150 + 13 * at));
  const placed = placeNames(joinNames([...column, ...edge]), FRAME, measure);
  assert.ok(placed.length >= 9, `${placed.length}`);
  for (const { text, at } of placed) assert.ok(at.x >= 0 && at.x + measure(text) <= 300, text);
  placed.forEach((one, index) => {
    for (const other of placed.slice(index + 1)) {
      const aside = Math.abs(one.at.y - other.at.y) >= 12;
      const beside = one.at.x + measure(one.text) <= other.at.x || other.at.x + measure(other.text) <= one.at.x;
      assert.ok(aside || beside, `${one.text} lies on ${other.text}`);
    }
  });
});

test("a name without any room is left out", () => {
  const tight = { left: 0, right: 20, top: 0, bottom: 20 };
  assert.deepEqual(placeNames(joinNames([point("a long name", 10, 10)]), tight, measure), []);
});
