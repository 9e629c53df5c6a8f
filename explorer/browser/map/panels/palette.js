/**
 * The 256 colours that serve a film of coloured pictures best, by median cut (Heckbert 1982): the
 * box of colours that spreads most is halved by its pixels, again and again.
 *
 * @typedef {{counts: Float64Array, sums: Float64Array}} Tally pixels and sums of their values, by cell
 * @typedef {{cells: number[], channel: number, spread: number}} Box
 */

const BITS = 5;
const LEVELS = 1 << BITS;
const CELLS = LEVELS ** 3;

/**
 * @param {Float32Array[]} pictures of three planes, in [0, 1]
 * @param {number} plane pixels of each
 * @param {number} most colours
 * @returns {{colours: number[][], indexOf: (red: number, green: number, blue: number) => number}}
 * bytes of each colour, and which of them stands for a colour of the film
 */
export function findPalette(pictures, plane, most = 256) {
  const tally = { counts: new Float64Array(CELLS), sums: new Float64Array(3 * CELLS) };
  for (const picture of pictures) {
    for (let i = 0; i < plane; i++) {
      const colour = [picture[i], picture[plane + i], picture[2 * plane + i]].map(toByte);
      const cell = cellOf(colour[0], colour[1], colour[2]);
      tally.counts[cell] += 1;
      for (let c = 0; c < 3; c++) tally.sums[3 * cell + c] += colour[c];
    }
  }
  const used = Array.from(tally.counts.keys()).filter((cell) => tally.counts[cell] > 0);
  const boxes = [measure(used, tally)];
  while (boxes.length < most) {
    const widest = boxes.reduce((best, box, n) => (box.spread > boxes[best].spread ? n : best), 0);
    if (boxes[widest].cells.length < 2) break;
    boxes.push(...halve(boxes.splice(widest, 1)[0], tally).map((cells) => measure(cells, tally)));
  }
  const indices = new Uint8Array(CELLS);
  const colours = boxes.map(({ cells }, n) => {
    for (const cell of cells) indices[cell] = n;
    const count = cells.reduce((sum, cell) => sum + tally.counts[cell], 0);
    return [0, 1, 2].map((c) => Math.round(cells.reduce((sum, cell) => sum + tally.sums[3 * cell + c], 0) / count));
  });
  return { colours, indexOf: (red, green, blue) => indices[cellOf(toByte(red), toByte(green), toByte(blue))] };
}

/** @param {number} value in [0, 1] */
const toByte = (value) => Math.round(255 * Math.min(1, Math.max(0, value)));

/**
 * @param {number} red a byte
 * @param {number} green
 * @param {number} blue
 */
const cellOf = (red, green, blue) => ((((red >> 3) << BITS) | (green >> 3)) << BITS) | (blue >> 3);

/**
 * The channel along which a box spreads most, and how much: squared distances from its mean, summed.
 * A box of one cell is not halved.
 * @param {number[]} cells
 * @param {Tally} tally
 * @returns {Box}
 */
function measure(cells, { counts, sums }) {
  if (cells.length < 2) return { cells, channel: 0, spread: 0 };
  const spreads = [0, 1, 2].map((c) => {
    let [count, sum, squares] = [0, 0, 0];
    for (const cell of cells) {
      const value = sums[3 * cell + c] / counts[cell];
      count += counts[cell];
      sum += counts[cell] * value;
      squares += counts[cell] * value * value;
    }
    return squares - (sum * sum) / count;
  });
  const spread = Math.max(...spreads);
  return { cells, channel: spreads.indexOf(spread), spread };
}

/**
 * Two parts with about as many pixels each, neither empty.
 * @param {Box} box
 * @param {Tally} tally
 */
function halve({ cells, channel }, { counts, sums }) {
  /** @param {number} cell */
  const value = (cell) => sums[3 * cell + channel] / counts[cell];
  const sorted = cells.slice().sort((a, b) => value(a) - value(b));
  const half = sorted.reduce((sum, cell) => sum + counts[cell], 0) / 2;
  let [at, sum] = [0, 0];
  while (at < sorted.length - 1 && sum + counts[sorted[at]] <= half) sum += counts[sorted[at++]];
  at = Math.max(1, at);
  return [sorted.slice(0, at), sorted.slice(at)];
}
