import { contextOf } from "../shared/dom.js";

/**
 * From a drawing or a photograph to what the model was trained on.
 * @typedef {{values: Float32Array, width: number, height: number}} Grey values in [0, 1], row by row
 */

/** The largest factor by which a small drawing is enlarged: a dot stays a small blob. */
const MAX_ENLARGEMENT = 4;

/**
 * As MNIST was made (LeCun et al. 1998): the ink is scaled to fit 20 of 28 pixels, keeping its
 * proportions, and placed with its centre of mass at the middle.
 * @param {Grey} grey
 * @param {number[]} shape the model's, (C, H, W)
 * @returns {Float32Array | null} null where there is no ink
 */
export function centreHandwriting({ values, width, height }, [, rows, columns]) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (values[y * width + x] > 0.1) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
    }
  }
  if (right < 0) return null;
  const [boxWidth, boxHeight] = [right - left + 1, bottom - top + 1];
  const fit = (20 / 28) * Math.min(rows, columns);
  const scale = Math.min(MAX_ENLARGEMENT, fit / Math.max(boxWidth, boxHeight));
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const value = values[y * width + x];
      sum += value;
      sumX += value * (x + 0.5);
      sumY += value * (y + 0.5);
    }
  }
  const [massX, massY] = [sumX / sum, sumY / sum];
  // Whole-pixel placement, as in MNIST, keeps strokes crisp.
  const offsetX = columns / 2 - massX * scale;
  const offsetY = rows / 2 - massY * scale;
  return sampleArea({ values, width, height }, columns, rows, scale, offsetX, offsetY);
}

/**
 * Scale the whole picture to the model's size.
 * @param {Grey} picture
 * @param {number[]} shape the model's, (C, H, W)
 */
export function resizePicture(picture, [, rows, columns]) {
  const scale = Math.min(columns / picture.width, rows / picture.height);
  const offsetX = (columns - picture.width * scale) / 2;
  const offsetY = (rows - picture.height * scale) / 2;
  return sampleArea(picture, columns, rows, scale, offsetX, offsetY);
}

/**
 * Average the source over each target pixel: x_target = x_source · scale + offset. Enlarged
 * pictures are sampled between pixels.
 * @param {Grey} picture
 * @param {number} columns
 * @param {number} rows
 * @param {number} scale
 * @param {number} offsetX
 * @param {number} offsetY
 */
function sampleArea({ values, width, height }, columns, rows, scale, offsetX, offsetY) {
  const out = new Float32Array(columns * rows);
  const taps = Math.max(2, Math.ceil(2 / scale));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let v = 0; v < taps; v++) {
        const y = Math.floor((row + (v + 0.5) / taps - offsetY) / scale);
        if (y < 0 || y >= height) continue;
        for (let u = 0; u < taps; u++) {
          const x = Math.floor((column + (u + 0.5) / taps - offsetX) / scale);
          if (x >= 0 && x < width) sum += values[y * width + x];
        }
      }
      out[row * columns + column] = sum / (taps * taps);
    }
  }
  return out;
}

/**
 * How light pixel number `i` is, 0 to 1, its opacity apart.
 * @param {Uint8ClampedArray} data
 * @param {number} i
 */
function lightOf(data, i) {
  return (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255;
}

/**
 * Whether what is drawn on a transparent ground is light: it is then laid on black, else on white.
 * @param {Uint8ClampedArray} data
 */
function isLightInk(data) {
  let [light, ink, clear] = [0, 0, 0];
  for (let i = 0; 4 * i < data.length; i++) {
    const opacity = data[4 * i + 3] / 255;
    light += lightOf(data, i) * opacity;
    ink += opacity;
    clear += 1 - opacity;
  }
  return clear > 0 && ink > 0 && light / ink > 0.5;
}

/**
 * A photograph's pixels as grey in [0, 1]; dark ink on light paper is turned into light on dark.
 * @param {ImageData} image
 * @param {boolean} invertPaper
 */
export function greyOf({ data, width, height }, invertPaper) {
  const values = new Float32Array(width * height);
  const paper = invertPaper && !isLightInk(data) ? 1 : 0;
  for (let i = 0; i < values.length; i++) {
    const opacity = data[4 * i + 3] / 255;
    values[i] = lightOf(data, i) * opacity + paper * (1 - opacity);
  }
  if (!invertPaper) return { values, width, height, inverted: false };
  let [border, count] = [0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1)) {
      border += values[y * width + x];
      count += 1;
    }
  }
  const inverted = border / count > 0.5;
  if (inverted) for (let i = 0; i < values.length; i++) values[i] = 1 - values[i];
  return { values: stretch(values), width, height, inverted };
}

/**
 * Paper is never quite white nor ink quite black: stretch to the full range.
 * @param {Float32Array} values
 */
function stretch(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (high - low < 0.1) return values;
  return values.map((value) => Math.min(1, Math.max(0, (value - low - 0.15 * (high - low)) / (0.75 * (high - low)))));
}

/**
 * What was drawn, light on dark, at the model's size: in colour where it knows colours.
 * @param {ImageData} image
 * @param {number[]} shape
 * @param {boolean} handwriting
 */
export function fitDrawing(image, shape, handwriting) {
  if (shape[0] === 3) return fitPhotograph(image, shape, false);
  const { width, height } = image;
  const values = Float32Array.from({ length: width * height }, (_, i) => image.data[4 * i] / 255);
  const grey = { values, width, height };
  const plane = handwriting ? centreHandwriting(grey, shape) : resizePicture(grey, shape);
  if (!plane) return null;
  const whole = new Float32Array(shape[0] * plane.length);
  for (let c = 0; c < shape[0]; c++) whole.set(plane, c * plane.length);
  return whole;
}

/**
 * A picture file, however large, as pixels of at most `side` × `side`.
 * @param {Blob} file
 * @returns {Promise<ImageData>} rejected where the file is no picture
 */
export async function readPictureFile(file, side = 280) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = contextOf(canvas, { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/**
 * Red, green and blue planes for a model of three channels, else grey, at the model's size.
 * @param {ImageData} image
 * @param {number[]} shape
 * @param {boolean} handwriting
 */
export function fitPhotograph(image, shape, handwriting) {
  if (shape[0] === 3) {
    const planes = [0, 1, 2].map((c) => {
      const values = Float32Array.from({ length: image.width * image.height }, (_, i) => image.data[4 * i + c] / 255);
      return resizePicture({ values, width: image.width, height: image.height }, shape);
    });
    const out = new Float32Array(3 * shape[1] * shape[2]);
    planes.forEach((plane, c) => out.set(plane, c * plane.length));
    return out;
  }
  const grey = greyOf(image, handwriting);
  return handwriting ? centreHandwriting(grey, shape) : resizePicture(grey, shape);
}
