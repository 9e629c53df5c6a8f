import { contextOf } from "./dom.js";
import { channels } from "./theme.js";

/**
 * Pictures on canvases. A picture is a Float32Array in [0, 1], shape (C, H, W), C = 1 or 3.
 */

/**
 * Paint a picture at its own resolution; style.css scales it without smoothing.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} picture
 * @param {number[]} shape
 * @param {number} [top] the value painted white
 */
export function paintPicture(canvas, picture, [count, height, width], top = 1) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = contextOf(canvas);
  const image = context.createImageData(width, height);
  const plane = width * height;
  const gain = 255 / top;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = picture[count === 3 ? c * plane + i : i] * gain;
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/**
 * A grey picture as ink of one colour whose opacity is the value; a coloured one as it is.
 * @param {Float32Array} picture
 * @param {number[]} shape
 * @param {string} ink
 * @param {number} strength opacity of a full pixel
 */
export function inkPicture(picture, [count, height, width], ink, strength) {
  const image = new ImageData(width, height);
  const plane = width * height;
  const [red, green, blue] = channels(ink);
  for (let i = 0; i < plane; i++) {
    const at = 4 * i;
    if (count === 3) {
      for (let c = 0; c < 3; c++) image.data[at + c] = 255 * picture[c * plane + i];
      image.data[at + 3] = 255 * strength;
    } else {
      image.data[at] = red;
      image.data[at + 1] = green;
      image.data[at + 2] = blue;
      image.data[at + 3] = 255 * strength * picture[i];
    }
  }
  return image;
}

/**
 * The i-th stored picture as floats.
 * @param {Uint8Array} pixels
 * @param {number} index
 * @param {number} size pixel values of one picture
 */
export function storedPicture(pixels, index, size) {
  return Float32Array.from(pixels.subarray(index * size, (index + 1) * size), (v) => v / 255);
}

/**
 * What a Bernoulli decoder scores: a draw with P(pixel = 1) = grey value, seeded.
 * @param {Float32Array} grey
 * @param {import("./random.js").Random} random
 */
export function binarise(grey, random) {
  return grey.map((value) => (random.uniform() < value ? 1 : 0));
}
