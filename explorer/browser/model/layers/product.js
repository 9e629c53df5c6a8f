/**
 * Matrix products between arrays whose rows and columns lie anywhere: every convolution is one.
 *
 *     target[to.rows[m] + to.columns[n]] += Σ_k weight[m, k] · source[from.rows[k] + from.columns[n]]
 *
 * Columns are gathered a few at a time, so that what is multiplied stays in the cache, and
 * multiplied in blocks of 4 × 4, whose sums stay in registers.
 *
 * @typedef {{rows: Int32Array, columns: Int32Array}} Places
 */

const BLOCK = 4;
const COLUMNS = 32;

/**
 * A matrix (rows, depth) in blocks of four rows, those that are missing being zero.
 * @param {Float32Array} weight
 * @param {number} rows
 * @param {number} depth
 */
export function packRows(weight, rows, depth) {
  const packed = new Float32Array(Math.ceil(rows / BLOCK) * BLOCK * depth);
  for (let m = 0; m < rows; m++) {
    const start = (m >> 2) * BLOCK * depth + (m & 3);
    for (let k = 0; k < depth; k++) packed[start + BLOCK * k] = weight[m * depth + k];
  }
  return packed;
}

/**
 * @param {Float32Array} packed the matrix, by `packRows`
 * @param {Places} from
 * @param {Places} to
 * @returns {(source: Float32Array, target: Float32Array) => void} which adds the product to target
 */
export function buildProduct(packed, from, to) {
  const depth = from.rows.length;
  const rows = to.rows.length;
  const count = from.columns.length;
  const columns = new Float32Array(COLUMNS * depth);
  const block = new Float64Array(BLOCK * BLOCK);
  return (source, target) => {
    for (let first = 0; first < count; first += COLUMNS) {
      const last = Math.min(first + COLUMNS, count);
      gather(columns, source, from, first, last);
      for (let m = 0; m < rows; m += BLOCK) {
        for (let n = first; n < last; n += BLOCK) {
          multiplyBlock(block, packed, m * depth, columns, (n - first) * depth, depth);
          scatter(block, target, to, m, Math.min(m + BLOCK, rows), n, Math.min(n + BLOCK, last));
        }
      }
    }
  };
}

/**
 * Columns first … last − 1 of the source, in blocks of four; what fills the last block is not used.
 * @param {Float32Array} columns
 * @param {Float32Array} source
 * @param {Places} from
 * @param {number} first
 * @param {number} last
 */
function gather(columns, source, { rows, columns: starts }, first, last) {
  const depth = rows.length;
  for (let n = first; n < last; n++) {
    const start = starts[n];
    let at = ((n - first) >> 2) * BLOCK * depth + ((n - first) & 3);
    for (let k = 0; k < depth; k++, at += BLOCK) columns[at] = source[start + rows[k]];
  }
}

/**
 * @param {Float64Array} block
 * @param {Float32Array} target
 * @param {Places} to
 * @param {number} m
 * @param {number} lastRow
 * @param {number} n
 * @param {number} lastColumn
 */
function scatter(block, target, { rows, columns }, m, lastRow, n, lastColumn) {
  for (let row = m, from = 0; row < lastRow; row++, from += BLOCK) {
    const start = rows[row];
    for (let column = n, i = from; column < lastColumn; column++, i++) target[start + columns[column]] += block[i];
  }
}

/**
 * Four rows times four columns.
 * @param {Float64Array} block written into
 * @param {Float32Array} a
 * @param {number} i
 * @param {Float32Array} b
 * @param {number} j
 * @param {number} depth
 */
function multiplyBlock(block, a, i, b, j, depth) {
  let [c00, c01, c02, c03] = [0, 0, 0, 0];
  let [c10, c11, c12, c13] = [0, 0, 0, 0];
  let [c20, c21, c22, c23] = [0, 0, 0, 0];
  let [c30, c31, c32, c33] = [0, 0, 0, 0];
  for (let k = 0; k < depth; k++, i += BLOCK, j += BLOCK) {
    const b0 = b[j];
    const b1 = b[j + 1];
    const b2 = b[j + 2];
    const b3 = b[j + 3];
    const a0 = a[i];
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = a[i + 1];
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = a[i + 2];
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = a[i + 3];
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
  }
  block[0] = c00;
  block[1] = c01;
  block[2] = c02;
  block[3] = c03;
  block[4] = c10;
  block[5] = c11;
  block[6] = c12;
  block[7] = c13;
  block[8] = c20;
  block[9] = c21;
  block[10] = c22;
  block[11] = c23;
  block[12] = c30;
  block[13] = c31;
  block[14] = c32;
  block[15] = c33;
}
