/**
 * Where codes lie on the map: a pair of dimensions, or a projection that was computed.
 * @typedef {{kind: "pair" | "pca" | "tsne", dims: number[], xs: Float32Array, ys: Float32Array,
 *   isSpace: boolean}} Projection
 * `isSpace`: the map's axes are latent coordinates, so that hover decodes the very point.
 */

/**
 * Two dimensions of the codes; with one latent the second axis only spreads the points.
 * @param {Float32Array} codes (N, size)
 * @param {number} size
 * @param {number[]} dims
 * @returns {Projection}
 */
export function pairProjection(codes, size, dims) {
  const count = codes.length / size;
  const xs = new Float32Array(count);
  const ys = new Float32Array(count);
  for (let n = 0; n < count; n++) {
    xs[n] = codes[n * size + dims[0]];
    ys[n] = dims.length > 1 ? codes[n * size + dims[1]] : spreadOf(n);
  }
  return { kind: "pair", dims, xs, ys, isSpace: true };
}

/**
 * A fixed pseudo-random height in ±1.2 for the points of a line.
 * @param {number} n
 */
const spreadOf = (n) => 1.2 * (2 * ((n * 0.6180339887498949) % 1) - 1);

/**
 * The first two principal components of the codes, by power iteration on their covariance.
 * @param {Float32Array} codes
 * @param {number} size
 * @returns {Projection & {share: number[]}} with each component's share of the variance
 */
export function pcaProjection(codes, size) {
  const count = codes.length / size;
  const mean = new Float64Array(size);
  for (let i = 0; i < codes.length; i++) mean[i % size] += codes[i] / count;
  const covariance = new Float64Array(size * size);
  const step = Math.max(1, Math.floor(count / 20000));
  let used = 0;
  for (let n = 0; n < count; n += step, used++) {
    for (let i = 0; i < size; i++) {
      const d = codes[n * size + i] - mean[i];
      for (let j = 0; j <= i; j++) covariance[i * size + j] += d * (codes[n * size + j] - mean[j]);
    }
  }
  let total = 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      covariance[i * size + j] /= used;
      covariance[j * size + i] = covariance[i * size + j];
    }
    total += covariance[i * size + i];
  }
  const axes = [];
  const share = [];
  for (let k = 0; k < 2; k++) {
    const { vector, value } = leadingVector(covariance, size, k + 1);
    axes.push(vector);
    share.push(value / total);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) covariance[i * size + j] -= value * vector[i] * vector[j];
    }
  }
  /** @param {Float64Array} axis */
  const project = (axis) => {
    const out = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += axis[i] * (codes[n * size + i] - mean[i]);
      out[n] = sum;
    }
    return out;
  };
  return { kind: "pca", dims: [], xs: project(axes[0]), ys: project(axes[1]), isSpace: false, share };
}

/**
 * @param {Float64Array} matrix
 * @param {number} size
 * @param {number} seed
 */
function leadingVector(matrix, size, seed) {
  let vector = Float64Array.from({ length: size }, (_, i) => Math.cos(seed + 2.3 * i));
  let value = 0;
  for (let round = 0; round < 300; round++) {
    const next = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) next[i] += matrix[i * size + j] * vector[j];
    }
    const norm = Math.hypot(...next) || 1;
    const drift = Math.abs(norm - value);
    value = norm;
    vector = next.map((v) => v / norm);
    if (drift < 1e-10 * norm) break;
  }
  // One sign for good: the largest entry is positive.
  const largest = vector.reduce((best, v) => (Math.abs(v) > Math.abs(best) ? v : best), 0);
  return { vector: largest < 0 ? vector.map((v) => -v) : vector, value };
}
