/** Matrices times vectors. */
import { sizeOf } from "./contract.js";

/**
 * y = Wx + b along the last axis, W stored (out, in). Inputs that are zero, as after a ReLU, are
 * skipped.
 * @param {import("./contract.js").Weights} weights
 * @param {number[]} shape
 * @returns {import("./contract.js").Layer}
 */
export function linear({ weight, bias }, shape) {
  const [outputs, inputs] = weight.shape;
  if (shape[shape.length - 1] !== inputs) throw new Error(`A linear layer of ${inputs} inputs got ${shape}.`);
  const rows = sizeOf(shape) / inputs;
  const places = new Int32Array(inputs);
  const values = new Float32Array(inputs);
  /** @type {import("./contract.js").Run} */
  const multiply = (x, y) => {
    let active = 0;
    for (let i = 0; i < inputs; i++) {
      if (x[i] !== 0) {
        places[active] = i;
        values[active++] = x[i];
      }
    }
    if (active < 0.75 * inputs) multiplySparse(weight, inputs, places, values, active, y, outputs);
    else multiplyDense(weight, inputs, x, y, outputs);
    if (bias) for (let j = 0; j < bias.length; j++) y[j] += bias[j];
  };
  /** @type {import("./contract.js").Run} */
  const run = (x, y) => {
    for (let row = 0; row < rows; row++) {
      multiply(x.subarray(row * inputs, (row + 1) * inputs), y.subarray(row * outputs, (row + 1) * outputs));
    }
  };
  return { shape: [...shape.slice(0, -1), outputs], run: rows === 1 ? multiply : run, multiplyAdds: rows * weight.length };
}

/**
 * @param {Float32Array} weight
 * @param {number} inputs
 * @param {Float32Array} x
 * @param {Float32Array} y
 * @param {number} outputs
 */
function multiplyDense(weight, inputs, x, y, outputs) {
  let row = 0;
  let j = 0;
  for (; j + 4 <= outputs; j += 4, row += 4 * inputs) {
    const row1 = row + inputs;
    const row2 = row1 + inputs;
    const row3 = row2 + inputs;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0; i < inputs; i++) {
      const v = x[i];
      a += weight[row + i] * v;
      b += weight[row1 + i] * v;
      c += weight[row2 + i] * v;
      d += weight[row3 + i] * v;
    }
    y[j] = a;
    y[j + 1] = b;
    y[j + 2] = c;
    y[j + 3] = d;
  }
  for (; j < outputs; j++, row += inputs) {
    let a = 0;
    for (let i = 0; i < inputs; i++) a += weight[row + i] * x[i];
    y[j] = a;
  }
}

/**
 * @param {Float32Array} weight
 * @param {number} inputs
 * @param {Int32Array} places of the inputs that are not zero
 * @param {Float32Array} values
 * @param {number} active how many they are
 * @param {Float32Array} y
 * @param {number} outputs
 */
function multiplySparse(weight, inputs, places, values, active, y, outputs) {
  let row = 0;
  let j = 0;
  for (; j + 4 <= outputs; j += 4, row += 4 * inputs) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let n = 0; n < active; n++) {
      const v = values[n];
      const at = row + places[n];
      a += weight[at] * v;
      b += weight[at + inputs] * v;
      c += weight[at + 2 * inputs] * v;
      d += weight[at + 3 * inputs] * v;
    }
    y[j] = a;
    y[j + 1] = b;
    y[j + 2] = c;
    y[j + 3] = d;
  }
  for (; j < outputs; j++, row += inputs) {
    let a = 0;
    for (let n = 0; n < active; n++) a += weight[row + places[n]] * values[n];
    y[j] = a;
  }
}
