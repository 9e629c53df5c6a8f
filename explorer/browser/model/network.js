import { LAYERS, sizeOf } from "./layers.js";

/**
 * A feed-forward network, interpreted layer by layer.
 * @typedef {{inputShape: number[], outputShape: number[], forward: (x: Float32Array) => Float32Array}} Network
 */

/**
 * @param {import("./header.js").LayerHeader[]} descriptions the layers in order
 * @param {number[]} inputShape
 * @returns {Network} whose `forward` returns a buffer that its next call overwrites
 */
export function buildNetwork(descriptions, inputShape) {
  /** @type {{run: import("./layers.js").Run, buffer: Float32Array | null}[]} */
  const steps = [];
  let shape = inputShape;
  for (const description of descriptions) {
    const make = LAYERS[description.kind];
    if (!make) throw new Error(`Unknown layer "${description.kind}".`);
    const layer = make(description, shape);
    shape = layer.shape;
    if (!layer.run) continue;
    const inPlace = layer.inPlace && steps.length > 0;
    steps.push({ run: layer.run, buffer: inPlace ? null : new Float32Array(sizeOf(shape)) });
  }
  /** @param {Float32Array} input */
  const forward = (input) => {
    let x = input;
    for (const { run, buffer } of steps) {
      run(x, buffer ?? x);
      x = buffer ?? x;
    }
    return x;
  };
  return { inputShape, outputShape: shape, forward };
}
