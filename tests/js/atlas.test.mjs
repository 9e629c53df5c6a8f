/** A model whose decoder stayed behind: points with their pictures, and the nearest one answers. */
import assert from "node:assert/strict";
import test from "node:test";

import { AtlasModel } from "../../explorer/browser/model/atlas.js";
import { chooseModel } from "../../explorer/browser/model/choose.js";

/** Three points on a line, and the two pixels of each; two pictures came along with their codes. */
const header = {
  shape: [1, 1, 2],
  latent: { kind: "gaussian", size: 1, logvarBound: null },
  prior: null,
  likelihood: { kind: "bernoulli", binarise: true, sigma2: null },
  networks: null,
  atlas: {
    points: Float32Array.of(-1, 0, 2),
    pixels: Uint8Array.of(0, 51, 102, 153, 204, 255),
    mean: Float32Array.of(0.5, 1.5),
    logvar: Float32Array.of(-1, -2),
  },
  pictures: { pixels: Uint8Array.of(10, 20, 30, 40) },
};
const model = new AtlasModel(header);
const rounded = (picture) => Array.from(picture, (value) => Math.round(value * 255));

test("the picture at z is that of the nearest point", () => {
  const shown = (z) => {
    let found;
    model.pictureSoon(Float32Array.of(z), "mean", 1, (picture) => (found = rounded(picture)));
    return found;
  };
  assert.deepEqual(shown(-9), [0, 51]);
  assert.deepEqual(shown(-0.4), [102, 153]);
  assert.deepEqual(shown(0.9), [102, 153]);
  assert.deepEqual(shown(1.1), [204, 255]);
});

test("of two latents both count", () => {
  const flat = new AtlasModel({
    ...header,
    latent: { ...header.latent, size: 2 },
    atlas: { ...header.atlas, points: Float32Array.of(0, 0, 0, 3, 3, 0), mean: null, logvar: null },
  });
  assert.equal(flat.nearest(Float32Array.of(0.4, 2)), 1);
  assert.equal(flat.nearest(Float32Array.of(2, 0.4)), 2);
  assert.equal(flat.decodedPoints, 3);
});

test("a picture that came along has its code; of another nothing is heard", () => {
  const heard = [];
  const ask = (...bytes) => model.encodeSoon(Float32Array.from(bytes, (v) => v / 255), (code) => heard.push(code));
  ask(30, 40);
  ask(30, 41);
  assert.equal(heard.length, 1);
  assert.deepEqual([...heard[0].mean, ...heard[0].logvar], [1.5, -2]);
  assert.equal(model.binarise, false, "pictures are looked up as they are");
});

test("an atlas is chosen before any server", () => {
  const ask = () => assert.fail("nobody is asked");
  assert.ok(chooseModel(header, { startWorker: null, ask }, 1e6) instanceof AtlasModel);
  assert.equal(model.canScore || model.isLocal, false);
});
