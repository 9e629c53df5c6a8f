import { contextOf } from "./dom.js";

/**
 * Many small pictures in one (explorer/export/sheet.py).
 * @typedef {object} Sheet
 * @property {Uint8Array<ArrayBuffer>} file
 * @property {string} type of the file: image/webp without loss, else image/jpeg
 * @property {number} count pictures
 * @property {number} across tiles side by side
 * @property {[number, number]} tile height and width of what each picture lies in, at the upper left
 */

/**
 * Open a sheet: the pictures' values one after the other, each (C, H, W), as bytes.
 * @param {Sheet} sheet
 * @param {number[]} shape (C, H, W) of one picture
 */
export async function openSheet({ file, type, count, across, tile }, [channels, height, width]) {
  const blob = new Blob([file], { type });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  const canvas = document.createElement("canvas");
  canvas.width = tile[1] * across;
  canvas.height = tile[0];
  const context = contextOf(canvas);
  const pixels = new Uint8Array(count * channels * height * width);
  // Row by row of tiles: a canvas of the whole sheet may be more than a phone allows.
  for (let first = 0; first < count; first += across) {
    context.drawImage(bitmap, 0, (-first / across) * tile[0]);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = first; i < Math.min(first + across, count); i++) {
      const left = (i - first) * tile[1];
      let at = i * channels * height * width;
      for (let c = 0; c < channels; c++) {
        for (let y = 0; y < height; y++) {
          let from = 4 * (y * canvas.width + left) + c;
          for (let x = 0; x < width; x++, from += 4) pixels[at++] = data[from];
        }
      }
    }
  }
  bitmap.close();
  return pixels;
}
