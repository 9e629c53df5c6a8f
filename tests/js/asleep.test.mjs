/** When a latent sleeps: one threshold in every picture, and what is said of a code that sleeps whole. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { DEAD_NATS, isAsleep, isCollapsed } from "../../explorer/browser/shared/asleep.js";

test("the browser's threshold is that of the analysis", () => {
  const source = readFileSync(new URL("../../explorer/analysis/collapse/timeline.py", import.meta.url), "utf-8");
  assert.equal(Number(/^DEAD_NATS = (\S+)/m.exec(source)?.[1]), DEAD_NATS);
});

test("a latent sleeps below the threshold, not at it", () => {
  assert.deepEqual([0, DEAD_NATS, 0.02].map(isAsleep), [true, false, false]);
});

test("a code is collapsed where every latent sleeps, and not where nothing is known of it", () => {
  assert.ok(isCollapsed(Float32Array.of(0, 0.004)));
  assert.ok(!isCollapsed([0, 0.1]) && !isCollapsed([]) && !isCollapsed(null));
});
