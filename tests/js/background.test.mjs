/** Who decodes: the page in slices, a worker, the server; always the newest question first. */
import assert from "node:assert/strict";
import test from "node:test";

import { BackgroundModel } from "../../explorer/browser/model/background.js";
import { chooseModel } from "../../explorer/browser/model/choose.js";
import { Model } from "../../explorer/browser/model/model.js";
import { RemoteModel } from "../../explorer/browser/model/remote.js";
import { createService } from "../../explorer/browser/model/service.js";

const floats = (shape, values) => Object.assign(Float32Array.from(values), { shape });
/** Two pixels of variance ½ whose mean is (z, 2z); q(z|x) is N(x₁ + x₂, e^0). */
const header = {
  shape: [1, 1, 2],
  latent: { kind: "gaussian", size: 1, logvarBound: null },
  prior: null,
  likelihood: { kind: "gaussian", binarise: false, sigma2: 0.5 },
  networks: {
    multiplyAdds: 2,
    encoder: [{ kind: "flatten" }, { kind: "linear", weight: floats([2, 2], [1, 1, 0, 0]) }],
    decoder: [{ kind: "linear", weight: floats([2, 1], [1, 2]) }, { kind: "reshape", shape: [1, 1, 2] }],
  },
};
const at = (...values) => values.map((value) => Float32Array.of(value));

/** A service whose work is done one piece at a time, by hand. */
function startService() {
  const [answers, waiting] = [[], []];
  const receive = createService((answer) => answers.push(answer), (work) => waiting.push(work), 0);
  receive({ kind: "model", header });
  const ask = (channel, turn, question) => receive({ kind: "asked", asked: { channel, turn, question } });
  const work = (times = Infinity) => {
    for (let n = 0; n < times && waiting.length; n++) waiting.shift()();
  };
  return { answers, ask, work };
}

test("of three questions that come while it is busy, only the newest is answered", () => {
  const { answers, ask, work } = startService();
  for (const turn of [1, 2, 3]) ask("picture", turn, { kind: "picture", z: Float32Array.of(turn), mode: "mean", seed: 0 });
  work();
  assert.deepEqual(answers.map(({ turn, picture }) => [turn, ...picture]), [[3, 3, 6]]);
});

test("the hand goes before what is done in between, and channels take turns", () => {
  const { answers, ask, work } = startService();
  ask("tiles", 1, { kind: "pictures", points: at(1, 2, 3) });
  ask("strip", 2, { kind: "pictures", points: at(7, 8) });
  work(2);
  ask("picture", 3, { kind: "picture", z: Float32Array.of(9), mode: "mean", seed: 0 });
  work();
  assert.deepEqual(answers.map(({ channel, picture }) => `${channel} ${picture[0]}`), [
    "tiles 1", "strip 7", "picture 9", "tiles 2", "strip 8", "tiles 3",
  ]);
});

test("after an answer to the hand nothing slow is begun for a while", async () => {
  const [answers, waiting] = [[], []];
  const receive = createService((answer) => answers.push(answer.channel), (work) => waiting.push(work), 15);
  receive({ kind: "model", header });
  const ask = (channel, question) => receive({ kind: "asked", asked: { channel, turn: 1, question } });
  const work = () => {
    while (waiting.length) waiting.shift()();
  };
  ask("tiles", { kind: "pictures", points: at(1) });
  ask("picture", { kind: "picture", z: Float32Array.of(2), mode: "mean", seed: 0 });
  work();
  assert.deepEqual(answers, ["picture"]);
  while (answers.length < 2) {
    await new Promise(setImmediate);
    work();
  }
  assert.deepEqual(answers, ["picture", "tiles"]);
});

test("a new question on a channel drops what is left of the one before, and an empty one stops it", () => {
  const { answers, ask, work } = startService();
  ask("tiles", 1, { kind: "pictures", points: at(1, 2, 3) });
  work(1);
  ask("tiles", 2, { kind: "pictures", points: at(5) });
  work();
  ask("estimate", 3, { kind: "nothing" });
  work();
  assert.deepEqual(answers.map(({ turn, picture }) => [turn, picture[0]]), [[1, 1], [2, 5]]);
});

test("a worker's model is the page's model", async (context) => {
  const { port1, port2 } = new MessageChannel();
  context.after(() => port1.close());
  const receive = createService((answer) => port2.postMessage(answer), setImmediate);
  port2.onmessage = ({ data }) => receive(data);
  port1.terminate = () => port1.close();
  const [near, far] = [new Model(header), new BackgroundModel(header, port1)];
  const x = Float32Array.of(0.25, 0.5);
  const code = await new Promise((done) => far.encodeSoon(x, done));
  assert.deepEqual(code, near.encode(x));
  const shown = [];
  await new Promise((done) => {
    // All four wait before the worker looks: only the newest is worth decoding.
    for (const z of at(1, 2, 3, 4)) {
      far.pictureSoon(z, "mean", 0, (picture) => {
        shown.push(picture[0]);
        if (z[0] === 4) done();
      });
    }
  });
  assert.deepEqual(shown, [4]);
  const scored = { x, ...near.encode(x) };
  const estimate = await new Promise((done) => far.estimateSoon(scored, 5, false, (found) => found.draws === 512 && done(found)));
  // E_q[(x − f(z))²]/2σ² + ln 2πσ², in closed form: q = N(¾, 1), f = (z, 2z).
  const exact = (0.25 - 0.75) ** 2 + 1 + (0.5 - 1.5) ** 2 + 4 + Math.log(Math.PI);
  assert.ok(Math.abs(estimate.reconstruction - exact) < 4 * estimate.error);
  assert.ok(Math.abs(estimate.kl - 0.5 * 0.75 ** 2) < 1e-6);
});

test("the server is asked for one picture at a time, and for many in batches", () => {
  const asked = [];
  const model = new RemoteModel({ ...header, networks: null }, (request) => asked.push(request));
  const answer = ({ number }, count) => model.receive([{ number, top: 1, picture: btoa("\xff\x00".repeat(count)) }]);
  const shown = [];
  for (const z of at(1, 2, 3)) model.pictureSoon(z, "mean", 0, (picture) => shown.push([z[0], ...picture]));
  assert.equal(asked.length, 1);
  answer(asked[0], 1);
  answer(asked[1], 1);
  assert.deepEqual(shown, [[1, 1, 0], [3, 1, 0]]);
  const tiles = [];
  model.picturesSoon("tiles", at(...Array(20).keys()), (n) => tiles.push(n));
  assert.equal(asked[2].points.length, 16);
  answer(asked[2], 16);
  assert.equal(asked[3].points.length, 4);
  model.picturesSoon("tiles", [], () => {});
  answer(asked[3], 4);
  assert.deepEqual(tiles, [...Array(16).keys()]);
});

test("the page decodes what is quick, a worker what is not, the server what would crawl", () => {
  const startWorker = () => ({ postMessage() {}, terminate() {} });
  const ask = () => {};
  const cost = (multiplyAdds) => ({ ...header, networks: { ...header.networks, multiplyAdds } });
  const rate = 1e6; // a milliard a second
  assert.ok(chooseModel(cost(5e6), { startWorker, ask }, rate) instanceof Model);
  assert.ok(chooseModel(cost(25e6), { startWorker, ask }, rate) instanceof BackgroundModel);
  assert.ok(chooseModel(cost(100e6), { startWorker, ask }, rate) instanceof RemoteModel);
  assert.ok(chooseModel(cost(100e6), { startWorker, ask: null }, rate) instanceof BackgroundModel);
  assert.ok(chooseModel(cost(100e6), { startWorker, ask }, 20 * rate) instanceof Model);
  const refused = () => {
    throw new Error("no workers here");
  };
  assert.ok(chooseModel(cost(25e6), { startWorker: refused, ask }, rate) instanceof Model);
  assert.ok(chooseModel({ ...header, networks: null }, { startWorker, ask }, rate) instanceof RemoteModel);
});

test("what is quick on any machine is not measured first", (t) => {
  const measured = t.mock.method(performance, "now");
  const helpers = { startWorker: null, ask: null };
  const cost = (multiplyAdds) => ({ ...header, networks: { ...header.networks, multiplyAdds } });
  assert.ok(chooseModel(cost(1e6), helpers) instanceof Model);
  assert.equal(measured.mock.callCount(), 0);
  chooseModel(cost(5e6), helpers);
  assert.ok(measured.mock.callCount() > 0);
});
