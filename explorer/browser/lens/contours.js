import { contextOf } from "../shared/dom.js";

/**
 * Level lines of a raster by marching squares, and its picture.
 * @typedef {{left: number, bottom: number, step: number, values: Float32Array & {shape: number[]}}} Raster
 */

/**
 * @param {Raster} raster
 * @param {number} level
 * @returns {number[][]} segments [x0, y0, x1, y1] in the plane
 */
export function levelLines({ left, bottom, step, values }, level) {
  const [rows, columns] = values.shape;
  /** @type {number[][]} */
  const segments = [];
  /**
   * Where the level crosses the edge between two corners.
   * @param {number} c0
   * @param {number} r0
   * @param {number} c1
   * @param {number} r1
   */
  const cross = (c0, r0, c1, r1) => {
    const [u, v] = [values[r0 * columns + c0], values[r1 * columns + c1]];
    const share = (level - u) / (v - u);
    return [left + step * (c0 + share * (c1 - c0)), bottom + step * (r0 + share * (r1 - r0))];
  };
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c + 1 < columns; c++) {
      const at = r * columns + c;
      const inside = [values[at], values[at + 1], values[at + columns + 1], values[at + columns]].map((v) => v >= level);
      const edges = [];
      if (inside[0] !== inside[1]) edges.push(cross(c, r, c + 1, r));
      if (inside[1] !== inside[2]) edges.push(cross(c + 1, r, c + 1, r + 1));
      if (inside[2] !== inside[3]) edges.push(cross(c, r + 1, c + 1, r + 1));
      if (inside[3] !== inside[0]) edges.push(cross(c, r, c, r + 1));
      for (let i = 0; i + 1 < edges.length; i += 2) segments.push([...edges[i], ...edges[i + 1]]);
    }
  }
  return segments;
}

/**
 * The density as one colour whose opacity follows its square root.
 * @param {Raster} raster
 * @param {[number, number, number]} colour
 */
export function densityPicture({ values }, [red, green, blue]) {
  const [rows, columns] = values.shape;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, rows];
  const context = contextOf(canvas);
  const image = context.createImageData(columns, rows);
  const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const at = 4 * ((rows - 1 - r) * columns + c);
      image.data[at] = red;
      image.data[at + 1] = green;
      image.data[at + 2] = blue;
      image.data[at + 3] = 120 * Math.exp(0.5 * (values[r * columns + c] - top));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Where the outer contour reaches lowest: its name stands below.
 * @param {number[][]} segments
 */
export function lowestPoint(segments) {
  const lowest = segments.reduce((best, segment) => (segment[1] < best[1] ? segment : best), [0, Infinity]);
  return { x: lowest[0], y: Number.isFinite(lowest[1]) ? lowest[1] : 0, a: 0, b: 0, angle: 0 };
}
