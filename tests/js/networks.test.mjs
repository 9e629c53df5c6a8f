/** Every kind of layer against PyTorch: cases are written by tests/export/test_networks.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { buildNetwork } from "../../explorer/browser/model/network.js";
import { readPayload } from "../../explorer/browser/shared/payload.js";

const file = process.env.NETWORK_CASES;
const cases = file ? readPayload(new Uint8Array(readFileSync(file))).cases : [];

test("cases are there when asked for", () => {
  if (file) assert.ok(cases.length > 0);
});

for (const { name, layers, shape, outputShape, multiplyAdds, x, y } of cases) {
  test(`${name}: as PyTorch`, () => {
    const network = buildNetwork(layers, shape);
    assert.deepEqual(network.outputShape, outputShape);
    const [count, width] = x.shape;
    const size = y.length / count;
    // Twice over: buffers are used again, and a network must not write into what it is given.
    for (const row of [0, 1, 0]) {
      const input = x.slice(row * width, (row + 1) * width);
      const before = input.slice();
      const output = network.forward(input);
      assert.deepEqual(input, before);
      assert.equal(output.length, size);
      for (let i = 0; i < size; i++) {
        const wanted = y[row * size + i];
        assert.ok(Math.abs(output[i] - wanted) <= 1e-4 * Math.max(1, Math.abs(wanted)), `${i}: ${output[i]} for ${wanted}`);
      }
    }
    // Each side counts small layers in its own way; the products are the same.
    assert.ok(network.multiplyAdds >= 0.3 * multiplyAdds && network.multiplyAdds <= 30 * multiplyAdds);
  });
}
