/** What a component gives Streamlit to run when it goes. */
import assert from "node:assert/strict";
import test from "node:test";

import { onceGone } from "../../explorer/browser/shared/component.js";

test("a component is removed with its place, not with a call that newer data overtook", () => {
  const place = { isConnected: true };
  let removed = 0;
  const cleanup = onceGone(place, () => removed++);
  cleanup();
  assert.equal(removed, 0, "the place stands and serves the newer call");
  place.isConnected = false;
  cleanup();
  assert.equal(removed, 1);
});
