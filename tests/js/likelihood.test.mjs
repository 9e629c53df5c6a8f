/** What the page knows of a likelihood does not hang on where the networks run. */
import assert from "node:assert/strict";
import test from "node:test";

import { LIKELIHOODS } from "../../explorer/browser/model/likelihood.js";
import { Model } from "../../explorer/browser/model/model.js";
import { RemoteModel } from "../../explorer/browser/model/remote.js";

const header = (kind, networks) => ({
  shape: [1, 1, 2],
  latent: { kind: "gaussian", size: 1 },
  prior: null,
  likelihood: { kind, binarise: false, sigma2: 0.25, logvar: Float32Array.of(-2, -1) },
  networks,
});
const EMPTY = { encoder: [], decoder: [] };

for (const kind of Object.keys(LIKELIHOODS)) {
  test(`${kind}: a model on the server offers what the same model in the browser offers`, () => {
    const local = new Model(header(kind, EMPTY));
    const remote = new RemoteModel(header(kind, null), () => {});
    assert.ok(local.isLocal && !remote.isLocal);
    for (const fact of ["deviationVaries", "deviationTop", "isDensity"]) {
      assert.equal(remote.likelihood[fact], local.likelihood[fact], fact);
    }
    for (const fact of ["shape", "pixelCount", "latentSize", "hasPosterior", "binarise", "sigma2"]) {
      assert.deepEqual(remote[fact], local[fact], fact);
    }
  });

  test(`${kind}: there is a σ-map where σ varies from pixel to pixel, and nowhere else`, () => {
    const { deviation, deviationVaries, deviationTop } = new Model(header(kind, EMPTY)).likelihood;
    // Means of two pixels, and what a likelihood with a variance of its own per pixel puts out for it.
    const output = Float32Array.of(0.1, 3, -1, -4);
    assert.equal(deviation(output, 0) !== deviation(output, 1), deviationVaries);
    if (deviationTop !== null) assert.ok(deviation(output, 0) <= deviationTop);
  });
}

test("one σ for all pixels has no σ-map, however σ was found", () => {
  for (const kind of ["gaussian", "gaussian-learned", "gaussian-optimal"]) {
    assert.equal(new RemoteModel(header(kind, null), () => {}).likelihood.deviationVaries, false, kind);
  }
});

test("an unknown likelihood is told by its name, wherever the networks run", () => {
  assert.throws(() => new Model(header("cauchy", EMPTY)), /cauchy/);
  assert.throws(() => new RemoteModel(header("cauchy", null), () => {}), /cauchy/);
});

test("a request goes to Python with its kind and number, and what is overtaken is never asked", () => {
  const asked = [];
  const heard = [];
  const model = new RemoteModel(header("gaussian-optimal", null), (request) => asked.push(request));
  for (const name of ["first", "second", "third"]) {
    model.encodeSoon(Float32Array.of(0, 1), ({ mean }) => heard.push([name, ...mean]));
  }
  assert.deepEqual(asked, [{ kind: "encode", number: 1, x: "AP8=" }]);
  model.receive([{ number: 1, mean: [5], logvar: [0] }, { number: 1, mean: [6], logvar: [0] }]);
  model.receive([{ number: 2, mean: [7], logvar: null }]);
  assert.deepEqual(asked.length, 2);
  assert.deepEqual(heard, [["first", 5], ["third", 7]]);
});

/** Ask for three pictures at once; return what was asked by then, and after the first answer. */
function askThrice(given) {
  const asked = [];
  const heard = [];
  const model = new RemoteModel(given, ({ z }) => asked.push(z[0]));
  for (const z of [1, 2, 3]) {
    model.pictureSoon(Float32Array.of(z), "mean", 0, (picture) => heard.push([z, ...picture]));
  }
  const atOnce = [...asked];
  model.receive([{ number: 1, picture: "AP8=", top: 1 }]);
  return { atOnce, asked, heard, model };
}

test("a server is asked for one picture at a time, a kernel for two, and only the newest waits", () => {
  assert.deepEqual(askThrice(header("bernoulli", null)).atOnce, [1]);
  const { atOnce, asked, heard, model } = askThrice({ ...header("bernoulli", null), live: true });
  assert.deepEqual([atOnce, asked], [[1, 2], [1, 2, 3]]);
  model.receive([{ number: 2, picture: "/wA=", top: 1 }, { number: 3, picture: "//8=", top: 1 }]);
  assert.deepEqual(heard, [[1, 0, 1], [2, 1, 0], [3, 1, 1]]);
});

test("a picture that was overtaken on the way is not shown after the newer one", () => {
  const { heard, model } = askThrice({ ...header("bernoulli", null), live: true });
  model.receive([{ number: 3, picture: "//8=", top: 1 }, { number: 2, picture: "/wA=", top: 1 }]);
  assert.deepEqual(heard, [[1, 0, 1], [3, 1, 1]]);
});
