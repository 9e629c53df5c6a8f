/** Points in a grid of cells, for "which point is under the pointer". */
export class PointIndex {
  /**
   * @param {Float32Array} xs
   * @param {Float32Array} ys
   */
  constructor(xs, ys) {
    this.xs = xs;
    this.ys = ys;
    const count = xs.length;
    [this.left, this.bottom, this.right, this.top] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < count; i++) {
      if (xs[i] < this.left) this.left = xs[i];
      if (xs[i] > this.right) this.right = xs[i];
      if (ys[i] < this.bottom) this.bottom = ys[i];
      if (ys[i] > this.top) this.top = ys[i];
    }
    this.side = Math.max(1, Math.min(1024, Math.round(Math.sqrt(count / 2))));
    this.cellX = (this.right - this.left) / this.side || 1;
    this.cellY = (this.top - this.bottom) / this.side || 1;
    // Counting sort of the points by cell.
    this.starts = new Int32Array(this.side * this.side + 1);
    const cells = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      cells[i] = this.cellOf(xs[i], ys[i]);
      this.starts[cells[i] + 1]++;
    }
    for (let c = 0; c < this.side * this.side; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice(0, -1);
    this.order = new Int32Array(count);
    for (let i = 0; i < count; i++) this.order[next[cells[i]]++] = i;
  }

  /** @param {number} x */
  column(x) {
    return Math.min(this.side - 1, Math.max(0, Math.floor((x - this.left) / this.cellX)));
  }

  /** @param {number} y */
  row(y) {
    return Math.min(this.side - 1, Math.max(0, Math.floor((y - this.bottom) / this.cellY)));
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  cellOf(x, y) {
    return this.row(y) * this.side + this.column(x);
  }

  /**
   * The nearest point that `accept`s, within `reach`; −1 where there is none.
   * @param {number} x
   * @param {number} y
   * @param {number} [reach]
   * @param {(index: number) => boolean} [accept]
   */
  nearest(x, y, reach = Infinity, accept = () => true) {
    const [column, row] = [this.column(x), this.row(y)];
    let best = -1;
    let bestSquare = reach * reach;
    const cell = Math.min(this.cellX, this.cellY);
    for (let ring = 0; ring < this.side; ring++) {
      // Points of this ring are at least (ring − 1) cells away.
      if (ring > 1 && ((ring - 1) * cell) ** 2 > bestSquare) break;
      for (let r = row - ring; r <= row + ring; r++) {
        if (r < 0 || r >= this.side) continue;
        const step = Math.abs(r - row) === ring ? 1 : Math.max(1, 2 * ring);
        for (let c = column - ring; c <= column + ring; c += step) {
          if (c < 0 || c >= this.side) continue;
          const at = r * this.side + c;
          for (let n = this.starts[at]; n < this.starts[at + 1]; n++) {
            const i = this.order[n];
            const square = (this.xs[i] - x) ** 2 + (this.ys[i] - y) ** 2;
            if (square < bestSquare && accept(i)) {
              best = i;
              bestSquare = square;
            }
          }
        }
      }
    }
    return best;
  }
}

/**
 * The row of a matrix that is nearest to z, among at most 20,000; −1 where there are none.
 * @param {Float32Array} rows (N, size)
 * @param {number} size
 * @param {Float32Array} z
 */
export function nearestRow(rows, size, z) {
  const count = rows.length / size;
  const step = Math.max(1, Math.floor(count / 20000));
  let best = -1;
  let bestSquare = Infinity;
  for (let n = 0; n < count; n += step) {
    let square = 0;
    for (let i = 0, at = n * size; i < size && square < bestSquare; i++) square += (rows[at + i] - z[i]) ** 2;
    if (square < bestSquare) [best, bestSquare] = [n, square];
  }
  return best;
}
