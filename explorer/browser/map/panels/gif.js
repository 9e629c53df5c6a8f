/**
 * GIF89a, animated and endless, written by hand: 256 greys, or the 256 colours that serve the film
 * best. Pictures are Float32Array in [0, 1] of shape (C, H, W).
 */
import { findPalette } from "./palette.js";

/**
 * @param {Float32Array[]} pictures
 * @param {number[]} shape
 * @param {{scale?: number, delayMs?: number}} options
 * @returns {Uint8Array}
 */
export function encodeGif(pictures, [count, height, width], { scale = 8, delayMs = 80 } = {}) {
  const [w, h] = [width * scale, height * scale];
  const plane = width * height;
  const palette = count === 3 ? findPalette(pictures, plane) : null;
  const out = [...ascii("GIF89a"), ...word(w), ...word(h), 0xf7, 0, 0, ...table(palette?.colours ?? GREYS)];
  out.push(0x21, 0xff, 11, ...ascii("NETSCAPE2.0"), 3, 1, 0, 0, 0);
  for (const picture of pictures) {
    out.push(0x21, 0xf9, 4, 0, ...word(Math.round(delayMs / 10)), 0, 0);
    out.push(0x2c, 0, 0, 0, 0, ...word(w), ...word(h), 0, 8);
    const codes = compress(enlarge(indices(picture, plane, palette), width, height, scale), 8);
    for (let at = 0; at < codes.length; at += 255) {
      const block = codes.slice(at, at + 255);
      out.push(block.length, ...block);
    }
    out.push(0);
  }
  out.push(0x3b);
  return Uint8Array.from(out);
}

/** @param {string} value */
const ascii = (value) => [...value].map((character) => character.charCodeAt(0));
/** @param {number} value */
const word = (value) => [value & 255, value >> 8];

const GREYS = Array.from({ length: 256 }, (_, i) => [i, i, i]);

/**
 * A table of 256 colours, black where there are fewer.
 * @param {number[][]} colours
 */
const table = (colours) => Array.from({ length: 256 }, (_, i) => colours[i] ?? [0, 0, 0]).flat();

/**
 * @param {Float32Array} picture
 * @param {number} plane pixels
 * @param {ReturnType<typeof findPalette> | null} palette null for greys
 */
function indices(picture, plane, palette) {
  return Uint8Array.from({ length: plane }, (_, i) =>
    palette
      ? palette.indexOf(picture[i], picture[plane + i], picture[2 * plane + i])
      : Math.round(Math.min(1, Math.max(0, picture[i])) * 255),
  );
}

/**
 * @param {Uint8Array} small
 * @param {number} width
 * @param {number} height
 * @param {number} scale
 */
function enlarge(small, width, height, scale) {
  const out = new Uint8Array(width * height * scale * scale);
  for (let y = 0, at = 0; y < height * scale; y++) {
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < width * scale; x++) out[at++] = small[row + Math.floor(x / scale)];
  }
  return out;
}

/**
 * LZW as GIF wants it: codes grow from minSize + 1 to 12 bits, then the table starts anew.
 * @param {Uint8Array} values
 * @param {number} minSize
 */
export function compress(values, minSize) {
  const clear = 1 << minSize;
  /** @type {number[]} */
  const bytes = [];
  let [buffer, bits, size, next] = [0, 0, minSize + 1, clear + 2];
  /** @type {Map<number, number>} */
  let table = new Map();
  /** @param {number} code */
  const emit = (code) => {
    buffer |= code << bits;
    bits += size;
    while (bits >= 8) {
      bytes.push(buffer & 255);
      buffer >>>= 8;
      bits -= 8;
    }
  };
  emit(clear);
  let prefix = values[0];
  for (let i = 1; i < values.length; i++) {
    const key = (prefix << 8) | values[i];
    const known = table.get(key);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    emit(prefix);
    if (next < 4096) {
      // A code is one bit longer as soon as the table has outgrown the present length.
      if (next === 1 << size) size += 1;
      table.set(key, next++);
    } else {
      emit(clear);
      [size, next] = [minSize + 1, clear + 2];
      table = new Map();
    }
    prefix = values[i];
  }
  emit(prefix);
  emit(clear + 1);
  if (bits > 0) bytes.push(buffer & 255);
  return bytes;
}
