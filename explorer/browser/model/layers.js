/**
 * The layers that our networks are made of. Each maker takes a description and the shape that
 * comes in, and returns the shape that goes out and `run(x, y)`, which writes into y.
 * Shapes leave out the batch: one picture at a time. Loops are written for speed.
 *
 * @typedef {(x: Float32Array, y: Float32Array) => void} Run
 * @typedef {{shape: number[], run: Run | null, inPlace?: boolean}} Layer
 * A layer whose `run` is null changes only the shape; one with `inPlace` may be given y = x.
 * @typedef {import("./header.js").Floats} Floats
 * @typedef {{weight: Floats, bias: Float32Array}} Weights
 */

/** @param {number[]} shape */
export const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

/**
 * y = Wx + b, W stored (out, in). Inputs that are zero, as after a ReLU, are skipped.
 * @param {Weights} weights
 * @param {number[]} shape
 * @returns {Layer}
 */
function linear({ weight, bias }, shape) {
  const [outputs, inputs] = weight.shape;
  if (sizeOf(shape) !== inputs) throw new Error(`A linear layer of ${inputs} inputs got ${shape}.`);
  const places = new Int32Array(inputs);
  const values = new Float32Array(inputs);
  /** @type {Run} */
  const run = (x, y) => {
    let active = 0;
    for (let i = 0; i < inputs; i++) {
      if (x[i] !== 0) {
        places[active] = i;
        values[active++] = x[i];
      }
    }
    if (active < 0.75 * inputs) multiplySparse(weight, inputs, places, values, active, y, outputs);
    else multiplyDense(weight, inputs, x, y, outputs);
    if (bias.length) for (let j = 0; j < outputs; j++) y[j] += bias[j];
  };
  return { shape: [outputs], run };
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

/**
 * Convolution of kernel 4, stride 2, padding 1; weight (out, in, 4, 4).
 * @param {Weights} weights
 * @param {number[]} shape
 * @returns {Layer}
 */
function conv({ weight, bias }, [channels, height, width]) {
  const filters = weight.shape[0];
  const [outHeight, outWidth] = [height >> 1, width >> 1];
  const [padHeight, padWidth] = [height + 2, width + 2];
  const plane = padHeight * padWidth;
  const padded = new Float32Array(channels * plane);
  const sums = new Float64Array(outHeight * outWidth);
  /** @type {Run} */
  const run = (x, y) => {
    for (let c = 0, from = 0; c < channels; c++) {
      for (let row = 0; row < height; row++, from += width) {
        padded.set(x.subarray(from, from + width), c * plane + (row + 1) * padWidth + 1);
      }
    }
    for (let f = 0; f < filters; f++) {
      sums.fill(bias.length ? bias[f] : 0);
      for (let c = 0; c < channels; c++) {
        const k = (f * channels + c) * 16;
        for (let tap = 0; tap < 16; tap += 4) {
          const [w0, w1, w2, w3] = [weight[k + tap], weight[k + tap + 1], weight[k + tap + 2], weight[k + tap + 3]];
          let to = 0;
          for (let row = 0; row < outHeight; row++) {
            let at = c * plane + (2 * row + (tap >> 2)) * padWidth;
            for (let column = 0; column < outWidth; column++, at += 2, to++) {
              sums[to] += w0 * padded[at] + w1 * padded[at + 1] + w2 * padded[at + 2] + w3 * padded[at + 3];
            }
          }
        }
      }
      y.set(sums, f * sums.length);
    }
  };
  return { shape: [filters, outHeight, outWidth], run };
}

/**
 * Transposed convolution of kernel 4, stride 2, padding 1; weight (in, out, 4, 4). One pixel at a
 * time: its channels times the weights (long, straight loops), then its patches added in place.
 * @param {Weights} weights
 * @param {number[]} shape
 * @returns {Layer}
 */
function transposedConv({ weight, bias }, [channels, height, width]) {
  const filters = weight.shape[1];
  const taps = 16 * filters;
  const [outHeight, outWidth] = [2 * height, 2 * width];
  const padWidth = outWidth + 2;
  const plane = (outHeight + 2) * padWidth;
  const padded = new Float64Array(filters * plane);
  const patch = new Float64Array(taps);
  /** @type {Run} */
  const run = (x, y) => {
    for (let f = 0; f < filters; f++) padded.fill(bias.length ? bias[f] : 0, f * plane, (f + 1) * plane);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        patch.fill(0);
        for (let c = 0, from = row * width + column; c < channels; c++, from += height * width) {
          const v = x[from];
          if (v !== 0) addScaled(patch, weight, c * taps, v);
        }
        let at = 2 * row * padWidth + 2 * column;
        for (let k = 0; k < taps; k += 16, at += plane) {
          for (let tap = 0, to = at; tap < 16; tap += 4, to += padWidth) {
            padded[to] += patch[k + tap];
            padded[to + 1] += patch[k + tap + 1];
            padded[to + 2] += patch[k + tap + 2];
            padded[to + 3] += patch[k + tap + 3];
          }
        }
      }
    }
    for (let f = 0; f < filters; f++) {
      for (let row = 0; row < outHeight; row++) {
        const at = f * plane + (row + 1) * padWidth + 1;
        y.set(padded.subarray(at, at + outWidth), (f * outHeight + row) * outWidth);
      }
    }
  };
  return { shape: [filters, outHeight, outWidth], run };
}

/**
 * sums += v · weight[start …]
 * @param {Float64Array} sums
 * @param {Float32Array} weight
 * @param {number} start
 * @param {number} v
 */
function addScaled(sums, weight, start, v) {
  for (let i = 0; i < sums.length; i += 4) {
    sums[i] += v * weight[start + i];
    sums[i + 1] += v * weight[start + i + 1];
    sums[i + 2] += v * weight[start + i + 2];
    sums[i + 3] += v * weight[start + i + 3];
  }
}

/**
 * @param {(value: number) => number} activate
 * @returns {(_: Weights, shape: number[]) => Layer}
 */
const elementwise = (activate) => (_, shape) => ({
  shape,
  inPlace: true,
  run: (x, y) => {
    for (let i = 0; i < y.length; i++) y[i] = activate(x[i]);
  },
});

/**
 * @param {Weights} _
 * @param {number[]} shape
 * @returns {Layer}
 */
function relu(_, shape) {
  /** @type {Run} */
  const run = (x, y) => {
    for (let i = 0; i < y.length; i++) y[i] = x[i] > 0 ? x[i] : 0;
  };
  return { shape, run, inPlace: true };
}

/** @type {Record<string, (description: any, shape: number[]) => Layer>} */
export const LAYERS = {
  linear,
  conv,
  transposedConv,
  relu,
  tanh: elementwise(Math.tanh),
  silu: elementwise((v) => v / (1 + Math.exp(-v))),
  flatten: (_, shape) => ({ shape: [sizeOf(shape)], run: null }),
  reshape: ({ shape }) => ({ shape, run: null }),
};
