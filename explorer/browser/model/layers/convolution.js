/** Convolutions of any kernel, stride, padding, dilation and groups, and their transposes. */
import { placesOf } from "./contract.js";
import { buildProduct, packRows } from "./product.js";

/**
 * @typedef {import("./contract.js").Layer} Layer
 * @typedef {import("./contract.js").Weights} Weights
 * @typedef {{stride: number[], padding: number[], dilation: number[], groups: number}} Settings pairs are (vertical, horizontal)
 */

/**
 * Weight (out, in/groups, h, w).
 * @param {Weights & Settings} description
 * @param {number[]} shape
 * @returns {Layer}
 */
export function conv({ weight, bias, stride, padding, dilation, groups }, [channels, height, width]) {
  const [filters, depth, rows, columns] = weight.shape;
  const padHeight = height + 2 * padding[0];
  const padWidth = width + 2 * padding[1];
  const outHeight = Math.floor((padHeight - dilation[0] * (rows - 1) - 1) / stride[0]) + 1;
  const outWidth = Math.floor((padWidth - dilation[1] * (columns - 1) - 1) / stride[1]) + 1;
  const [plane, outPlane] = [padHeight * padWidth, outHeight * outWidth];
  const isPadded = padding[0] + padding[1] > 0;
  const padded = new Float32Array(isPadded ? channels * plane : 0);
  const share = filters / groups;
  const starts = placesOf([outHeight, outWidth], [stride[0] * padWidth, stride[1]]);
  const places = placesOf([outPlane], [1]);
  const products = Array.from({ length: groups }, (_, g) => {
    const size = depth * rows * columns;
    const part = weight.subarray(g * share * size, (g + 1) * share * size);
    const taps = placesOf([depth, rows, columns], [plane, dilation[0] * padWidth, dilation[1]], g * depth * plane);
    const to = { rows: placesOf([share], [outPlane], g * share * outPlane), columns: places };
    return buildProduct(packRows(part, share, size), { rows: taps, columns: starts }, to);
  });
  /** @type {import("./contract.js").Run} */
  const run = (x, y) => {
    if (isPadded) copyInside(x, [channels, height, width], padded, padHeight, padWidth, padding);
    for (let f = 0; f < filters; f++) y.fill(bias ? bias[f] : 0, f * outPlane, (f + 1) * outPlane);
    for (const product of products) product(isPadded ? padded : x, y);
  };
  return { shape: [filters, outHeight, outWidth], run, multiplyAdds: weight.length * outPlane };
}

/**
 * Transposed, weight (in, out/groups, h, w): every input pixel adds its patch to a larger picture,
 * of which the padding is cut off.
 * @param {Weights & Settings & {extra: number[]}} description
 * @param {number[]} shape
 * @returns {Layer}
 */
export function transposedConv({ weight, bias, stride, padding, dilation, groups, extra }, [channels, height, width]) {
  const [, share, rows, columns] = weight.shape;
  const filters = share * groups;
  const depth = channels / groups;
  const outHeight = (height - 1) * stride[0] - 2 * padding[0] + dilation[0] * (rows - 1) + extra[0] + 1;
  const outWidth = (width - 1) * stride[1] - 2 * padding[1] + dilation[1] * (columns - 1) + extra[1] + 1;
  const [padHeight, padWidth] = [outHeight + 2 * padding[0], outWidth + 2 * padding[1]];
  const plane = padHeight * padWidth;
  const padded = new Float32Array(filters * plane);
  const pixels = placesOf([height * width], [1]);
  const corners = placesOf([height, width], [stride[0] * padWidth, stride[1]]);
  const products = Array.from({ length: groups }, (_, g) => {
    const size = share * rows * columns;
    const part = transpose(weight.subarray(g * depth * size, (g + 1) * depth * size), depth, size);
    const from = { rows: placesOf([depth], [height * width], g * depth * height * width), columns: pixels };
    const taps = placesOf([share, rows, columns], [plane, dilation[0] * padWidth, dilation[1]], g * share * plane);
    return buildProduct(packRows(part, size, depth), from, { rows: taps, columns: corners });
  });
  /** @type {import("./contract.js").Run} */
  const run = (x, y) => {
    for (let f = 0; f < filters; f++) padded.fill(bias ? bias[f] : 0, f * plane, (f + 1) * plane);
    for (const product of products) product(x, padded);
    for (let f = 0, to = 0; f < filters; f++) {
      for (let row = 0; row < outHeight; row++, to += outWidth) {
        const at = f * plane + (row + padding[0]) * padWidth + padding[1];
        y.set(padded.subarray(at, at + outWidth), to);
      }
    }
  };
  return { shape: [filters, outHeight, outWidth], run, multiplyAdds: weight.length * height * width };
}

/**
 * Put a picture into the middle of a larger one, whose border stays as it is.
 * @param {Float32Array} x
 * @param {number[]} shape
 * @param {Float32Array} padded
 * @param {number} padHeight
 * @param {number} padWidth
 * @param {number[]} padding
 */
function copyInside(x, [channels, height, width], padded, padHeight, padWidth, padding) {
  for (let c = 0, from = 0; c < channels; c++) {
    for (let row = 0; row < height; row++, from += width) {
      const at = (c * padHeight + row + padding[0]) * padWidth + padding[1];
      padded.set(x.subarray(from, from + width), at);
    }
  }
}

/**
 * @param {Float32Array} matrix (rows, columns)
 * @param {number} rows
 * @param {number} columns
 */
function transpose(matrix, rows, columns) {
  const turned = new Float32Array(matrix.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) turned[c * rows + r] = matrix[r * columns + c];
  }
  return turned;
}
