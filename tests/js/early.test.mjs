/** What the map says before Streamlit has mounted it. */
import assert from "node:assert/strict";
import test from "node:test";

import { createWaitingHost } from "../../explorer/browser/map/early.js";

test("the latest of each name is kept for the host that follows, who is told from then on", () => {
  const heard = [];
  const next = {
    setState: (name, value) => heard.push(["state", name, value]),
    trigger: (name, value) => heard.push(["trigger", name, value]),
  };
  const host = createWaitingHost(() => null);
  host.setState("z", [1]);
  host.trigger("picked", 7);
  host.setState("z", [2]);
  assert.deepEqual(heard, []);
  host.handOver(next);
  assert.deepEqual(heard, [["state", "z", [2]], ["trigger", "picked", 7]]);
  host.trigger("model", "another");
  assert.deepEqual(heard[2], ["trigger", "model", "another"]);
});
