/** Batches of what Streamlit is told: one fragment each. */
import assert from "node:assert/strict";
import test from "node:test";

import { takeTurn } from "../../explorer/browser/map/turns.js";

/** What Streamlit does: what is told before its timer runs is one batch. */
function streamlit() {
  const batches = [];
  let open = null;
  const tell = (fragment, what) => () => {
    if (!open) {
      open = [];
      setTimeout(() => {
        batches.push(open);
        open = null;
      }, 0);
    }
    open.push(`${fragment} ${what}`);
  };
  return { batches, say: (fragment, what) => takeTurn(fragment, tell(fragment, what)) };
}

/** Wait until so many batches were sent: a busy machine runs timers late. */
async function sent(batches, count) {
  for (let turn = 0; batches.length < count && turn < 1000; turn++) {
    await new Promise((done) => setTimeout(done));
  }
  return batches;
}

test("what two fragments are told at one time is sent in two batches, in order", async () => {
  const { batches, say } = streamlit();
  say("sweep", "ready");
  say("map", "z 1");
  say("map", "model");
  say("sweep", "again");
  assert.deepEqual(await sent(batches, 2), [["sweep ready", "sweep again"], ["map z 1", "map model"]]);
});

test("one fragment is sent what it is told at once, in one batch", async () => {
  const { batches, say } = streamlit();
  say("map", "z 1");
  say("map", "z 2");
  await sent(batches, 1);
  say("map", "z 3");
  assert.deepEqual(await sent(batches, 2), [["map z 1", "map z 2"], ["map z 3"]]);
});
