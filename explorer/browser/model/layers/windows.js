/** Pictures in other sizes: pools, borders, upsampling. */

/**
 * @typedef {import("./contract.js").Layer} Layer
 * @typedef {import("./contract.js").Run} Run
 * @typedef {{kernel: number[], stride: number[], padding: number[], ceil: boolean}} Pool
 */

/**
 * The windows of a pool along one axis: where each begins and ends, and how many of its places lie
 * inside the picture with its border, which is what an average may be taken over.
 * @param {Pool & {dilation?: number[]}} pool
 * @param {number} axis 0 vertical, 1 horizontal
 * @param {number} size
 */
function findWindows({ kernel, stride, padding, ceil, dilation = [1, 1] }, axis, size) {
  const [reach, step, border] = [dilation[axis] * (kernel[axis] - 1) + 1, stride[axis], padding[axis]];
  const steps = (size + 2 * border - reach) / step;
  let count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  // A window must begin inside the picture or its border before it.
  if (ceil && (count - 1) * step >= size + border) count -= 1;
  return Array.from({ length: count }, (_, i) => {
    const begin = i * step - border;
    const end = Math.min(begin + reach, size + border);
    return { begin, end, whole: end - begin };
  });
}

/**
 * @param {Pool & {dilation: number[]}} pool
 * @param {number[]} shape
 * @returns {Layer}
 */
export function maxPool(pool, [channels, height, width]) {
  const [down, across] = [findWindows(pool, 0, height), findWindows(pool, 1, width)];
  const [rowStep, columnStep] = pool.dilation;
  /** @type {Run} */
  const run = (x, y) => {
    let to = 0;
    for (let c = 0; c < channels; c++) {
      for (const rows of down) {
        for (const columns of across) {
          let top = -Infinity;
          for (let r = rows.begin; r < rows.end; r += rowStep) {
            if (r < 0 || r >= height) continue;
            for (let k = columns.begin; k < columns.end; k += columnStep) {
              if (k >= 0 && k < width) top = Math.max(top, x[(c * height + r) * width + k]);
            }
          }
          y[to++] = top;
        }
      }
    }
  };
  const shape = [channels, down.length, across.length];
  return { shape, run, multiplyAdds: channels * down.length * across.length * pool.kernel[0] * pool.kernel[1] };
}

/**
 * @param {Pool & {countPadding: boolean}} pool
 * @param {number[]} shape
 * @returns {Layer}
 */
export function averagePool(pool, [channels, height, width]) {
  const [down, across] = [findWindows(pool, 0, height), findWindows(pool, 1, width)];
  /** @type {Run} */
  const run = (x, y) => {
    let to = 0;
    for (let c = 0; c < channels; c++) {
      for (const rows of down) {
        const [top, bottom] = [Math.max(0, rows.begin), Math.min(height, rows.end)];
        for (const columns of across) {
          const [left, right] = [Math.max(0, columns.begin), Math.min(width, columns.end)];
          let sum = 0;
          for (let r = top; r < bottom; r++) {
            for (let k = left; k < right; k++) sum += x[(c * height + r) * width + k];
          }
          y[to++] = sum / (pool.countPadding ? rows.whole * columns.whole : (bottom - top) * (right - left));
        }
      }
    }
  };
  const shape = [channels, down.length, across.length];
  return { shape, run, multiplyAdds: channels * down.length * across.length * pool.kernel[0] * pool.kernel[1] };
}

/** @type {Record<string, (i: number, size: number) => number>} the place inside that a border copies */
const BORDERS = {
  constant: (i, size) => (i >= 0 && i < size ? i : -1),
  replicate: (i, size) => Math.min(Math.max(i, 0), size - 1),
  reflect: (i, size) => (i < 0 ? -i : i >= size ? 2 * size - 2 - i : i),
  circular: (i, size) => (i + size) % size,
};

/**
 * Rows and columns around a picture, or cut off where they are negative: left, right, top, bottom.
 * @param {{padding: number[], mode: string, value: number}} description
 * @param {number[]} shape
 * @returns {Layer}
 */
export function pad({ padding: [left, right, top, bottom], mode, value }, [channels, height, width]) {
  const [outHeight, outWidth] = [height + top + bottom, width + left + right];
  const source = BORDERS[mode];
  const rows = Int32Array.from({ length: outHeight }, (_, i) => source(i - top, height));
  const columns = Int32Array.from({ length: outWidth }, (_, i) => source(i - left, width));
  /** @type {Run} */
  const run = (x, y) => {
    let to = 0;
    for (let c = 0; c < channels; c++) {
      for (const row of rows) {
        const from = (c * height + row) * width;
        for (const column of columns) y[to++] = row < 0 || column < 0 ? value : x[from + column];
      }
    }
  };
  return { shape: [channels, outHeight, outWidth], run };
}

/**
 * @param {{size: number[], mode: string, alignCorners: boolean}} description
 * @param {number[]} shape
 * @returns {Layer}
 */
export function upsample({ size: [outHeight, outWidth], mode, alignCorners }, [channels, height, width]) {
  const neighbours = mode === "nearest" ? nearest : bilinear(alignCorners);
  const [down, across] = [neighbours(height, outHeight), neighbours(width, outWidth)];
  /** @type {Run} */
  const run = (x, y) => {
    let to = 0;
    for (let c = 0; c < channels; c++) {
      for (let r = 0; r < outHeight; r++) {
        const [above, below] = [(c * height + down.low[r]) * width, (c * height + down.high[r]) * width];
        const v = down.share[r];
        for (let k = 0; k < outWidth; k++) {
          const [i, j, u] = [across.low[k], across.high[k], across.share[k]];
          y[to++] = (1 - v) * ((1 - u) * x[above + i] + u * x[above + j]) + v * ((1 - u) * x[below + i] + u * x[below + j]);
        }
      }
    }
  };
  return { shape: [channels, outHeight, outWidth], run, multiplyAdds: 4 * channels * outHeight * outWidth };
}

/**
 * Between which two old pixels each new one lies, and the second one's share of it.
 * @param {number} before
 * @param {number} after
 */
function nearest(before, after) {
  // In single precision, as PyTorch finds them.
  const scale = Math.fround(before / after);
  const low = Int32Array.from({ length: after }, (_, i) => Math.min(Math.floor(Math.fround(i * scale)), before - 1));
  return { low, high: low, share: new Float64Array(after) };
}

/**
 * @param {boolean} alignCorners whether the outermost pixels' centres stay where they are
 * @returns {typeof nearest}
 */
const bilinear = (alignCorners) => (before, after) => {
  const scale = alignCorners ? (after > 1 ? (before - 1) / (after - 1) : 0) : before / after;
  const at = Float64Array.from({ length: after }, (_, i) => (alignCorners ? i * scale : Math.max(0, (i + 0.5) * scale - 0.5)));
  const low = Int32Array.from(at, (place) => Math.min(Math.floor(place), before - 1));
  const high = Int32Array.from(low, (place) => Math.min(place + 1, before - 1));
  return { low, high, share: Float64Array.from(at, (place, i) => place - low[i]) };
};
