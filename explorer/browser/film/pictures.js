import { fromBase64 } from "../shared/base64.js";
import { contextOf, make } from "../shared/dom.js";

/**
 * Rows of pictures, each drawn once and kept.
 * @typedef {import("./frames.js").Pictures} Pictures
 */

/** @type {WeakMap<Pictures, HTMLCanvasElement>} */
const drawn = new WeakMap();

/**
 * Show a row, or one on top of another as far as `part` says: that is a transition, no picture.
 * @param {HTMLCanvasElement} canvas
 * @param {Pictures} one
 * @param {Pictures} [other]
 * @param {number} [part] from 0 to 1
 */
export function showPictures(canvas, one, other = one, part = 0) {
  const row = rowOf(one);
  if (canvas.width !== row.width || canvas.height !== row.height) {
    canvas.width = row.width;
    canvas.height = row.height;
  }
  const context = contextOf(canvas);
  context.globalAlpha = 1;
  context.drawImage(row, 0, 0);
  if (part > 0 && other !== one) {
    context.globalAlpha = part;
    context.drawImage(rowOf(other), 0, 0);
  }
}

/** @param {Pictures} pictures */
function rowOf(pictures) {
  const known = drawn.get(pictures);
  if (known) return known;
  const [count, channels, height, width] = pictures.shape;
  const pixels = fromBase64(pictures.bytes);
  const canvas = make("canvas", { width: count * width, height });
  const context = contextOf(canvas);
  const image = context.createImageData(count * width, height);
  const plane = width * height;
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < plane; i++) {
      const at = 4 * (Math.floor(i / width) * count * width + n * width + (i % width));
      for (let c = 0; c < 3; c++) image.data[at + c] = pixels[(n * channels + (channels === 3 ? c : 0)) * plane + i];
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  drawn.set(pictures, canvas);
  return canvas;
}
