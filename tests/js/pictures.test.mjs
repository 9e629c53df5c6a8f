/** Drawings, photographs and films. */
import assert from "node:assert/strict";
import test from "node:test";

import { compress, encodeGif } from "../../explorer/browser/map/panels/gif.js";
import { findPalette } from "../../explorer/browser/map/panels/palette.js";
import { centreHandwriting, fitDrawing, greyOf, resizePicture } from "../../explorer/browser/model/preprocess.js";
import { addDraw, readSums, startSums } from "../../explorer/browser/model/estimate.js";

const SHAPE = [1, 28, 28];

function blank(width, height) {
  return { values: new Float32Array(width * height), width, height };
}

function fill(picture, left, top, right, bottom) {
  for (let y = top; y < bottom; y++) picture.values.fill(1, y * picture.width + left, y * picture.width + right);
  return picture;
}

function massOf(values) {
  let [sum, x, y] = [0, 0, 0];
  values.forEach((v, i) => {
    sum += v;
    x += v * ((i % 28) + 0.5);
    y += v * (Math.floor(i / 28) + 0.5);
  });
  return { sum, x: x / sum, y: y / sum };
}

test("a drawing is scaled to 20 pixels and centred by its mass", () => {
  const out = centreHandwriting(fill(blank(280, 280), 10, 20, 50, 220), SHAPE);
  const { x, y } = massOf(out);
  assert.ok(Math.abs(x - 14) < 0.1 && Math.abs(y - 14) < 0.1, `${x}, ${y}`);
  const rows = Array.from({ length: 28 }, (_, r) => Math.max(...out.subarray(28 * r, 28 * r + 28)));
  const inked = rows.filter((value) => value > 0.5).length;
  assert.ok(inked >= 19 && inked <= 21, `${inked} rows`);
});

test("nothing drawn is nothing, and a dot stays small", () => {
  assert.equal(centreHandwriting(blank(280, 280), SHAPE), null);
  const dot = centreHandwriting(fill(blank(280, 280), 140, 140, 141, 141), SHAPE);
  assert.ok(massOf(dot).sum > 0 && massOf(dot).sum <= 20);
});

test("the whole picture keeps its proportions", () => {
  const out = resizePicture(fill(blank(56, 28), 0, 0, 56, 28), SHAPE);
  assert.ok(Math.abs(massOf(out).sum - 28 * 14) < 1);
});

test("dark ink on paper becomes light on dark; light on dark stays", () => {
  const data = new Uint8ClampedArray(4 * 100).fill(255);
  for (const i of [44, 45, 54, 55]) data.set([10, 10, 10, 255], 4 * i);
  const paper = greyOf({ data, width: 10, height: 10 }, true);
  assert.ok(paper.inverted && paper.values[44] > 0.9 && paper.values[0] < 0.1);
  const night = greyOf({ data: data.map((v, i) => (i % 4 === 3 ? 255 : 255 - v)), width: 10, height: 10 }, true);
  assert.ok(!night.inverted && night.values[44] > 0.9);
});

test("ink on a transparent ground is laid on its opposite, be it dark or light", () => {
  for (const shade of [10, 245]) {
    const data = new Uint8ClampedArray(4 * 100);
    for (const i of [44, 45, 54, 55]) data.set([shade, shade, shade, 255], 4 * i);
    const { values } = greyOf({ data, width: 10, height: 10 }, true);
    assert.ok(values[44] > 0.9 && values[0] < 0.1, `ink of ${shade}`);
  }
});

/** Undo LZW as a viewer does. */
function expand(bytes, minSize, count) {
  const clear = 1 << minSize;
  let [at, bits, buffer, size, table, last] = [0, 0, 0, minSize + 1, [], null];
  const out = [];
  const reset = () => {
    table = Array.from({ length: clear + 2 }, (_, i) => (i < clear ? [i] : []));
    [size, last] = [minSize + 1, null];
  };
  for (;;) {
    while (bits < size) {
      buffer |= bytes[at++] << bits;
      bits += 8;
    }
    const code = buffer & ((1 << size) - 1);
    buffer >>>= size;
    bits -= size;
    if (code === clear) reset();
    else if (code === clear + 1) return out;
    else {
      const entry = table[code] ?? [...last, last[0]];
      out.push(...entry);
      if (last) table.push([...last, entry[0]]);
      if (table.length === 1 << size && size < 12) size += 1;
      last = entry;
    }
    assert.ok(out.length <= count, "too many pixels");
  }
}

test("LZW is undone to the same bytes, through a full table as well", () => {
  const values = Uint8Array.from({ length: 60000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255);
  assert.deepEqual(expand(compress(values, 8), 8, values.length), [...values]);
  const flat = new Uint8Array(5000);
  assert.deepEqual(expand(compress(flat, 8), 8, 5000), [...flat]);
});

test("a GIF says what it is", () => {
  const bytes = encodeGif([new Float32Array(4), new Float32Array(4).fill(1)], [1, 2, 2], { scale: 2 });
  assert.equal(String.fromCharCode(...bytes.slice(0, 6)), "GIF89a");
  assert.deepEqual([bytes[6], bytes[8], bytes[bytes.length - 1]], [4, 4, 0x3b]);
});

/** Three planes of random pixels, each of one of `colours`. */
function motley(colours, plane) {
  const picture = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) colours[i % colours.length].forEach((value, c) => (picture[c * plane + i] = value / 255));
  return picture;
}

test("a film of a few colours keeps each of them exactly", () => {
  const colours = [[200, 40, 40], [12, 250, 3], [0, 0, 0], [255, 255, 255], [90, 91, 92]];
  const palette = findPalette([motley(colours, 50)], 50);
  assert.equal(palette.colours.length, 5);
  for (const colour of colours) {
    assert.deepEqual(palette.colours[palette.indexOf(...colour.map((value) => value / 255))], colour);
  }
});

test("a film of many colours gets 256 that lie nearer than a fixed cube's", () => {
  const colours = Array.from({ length: 4000 }, (_, i) => [100 + (i % 60), 40 + ((i * 7) % 90), (i * 13) % 50]);
  const palette = findPalette([motley(colours, 4000)], 4000);
  assert.equal(palette.colours.length, 256);
  const off = colours.map((colour) => {
    const found = palette.colours[palette.indexOf(...colour.map((value) => value / 255))];
    return Math.hypot(...found.map((value, c) => value - colour[c]));
  });
  // Steps of a 6 × 7 × 6 cube are 51 and 42 wide: off by about 20 on average.
  assert.ok(off.reduce((a, b) => a + b, 0) / off.length < 7);
});

test("a drawing in colour keeps its colours for a model that knows them", () => {
  const data = new Uint8ClampedArray(4 * 64).map((_, i) => [255, 0, 51, 255][i % 4]);
  const drawn = fitDrawing({ data, width: 8, height: 8 }, [3, 4, 4], false);
  assert.deepEqual([drawn[5], drawn[16 + 5], drawn[32 + 5]].map((v) => Math.round(255 * v)), [255, 0, 51]);
  assert.equal(fitDrawing({ data, width: 8, height: 8 }, [1, 4, 4], false).length, 16);
});

test("draws sum to mean, error and an importance-weighted bound without overflow", () => {
  const draws = [700, 702, 698, 1000].map((nll) => ({ nll, logWeight: -nll - 3 }));
  const sums = startSums();
  draws.forEach((draw) => addDraw(sums, draw));
  const found = readSums(sums, 5);
  assert.ok(Math.abs(found.reconstruction - 775) < 1e-9 && found.negativeElbo === 780);
  const top = Math.max(...draws.map(({ logWeight }) => logWeight));
  const bound = -(top + Math.log(draws.reduce((s, { logWeight }) => s + Math.exp(logWeight - top), 0) / 4));
  assert.ok(Math.abs(found.marginal - bound) < 1e-9);
});
