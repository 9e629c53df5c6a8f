import { contextOf, make } from "./dom.js";

/** Whether a canvas gives back what was drawn: some browsers change it, against tracking. */

const SIDE = 32;
/** @type {boolean | null} */
let found = null;

/**
 * Draw a pattern that is known and read it; asked once, the answer is kept.
 * @returns {boolean} true where what is read is not what was drawn
 */
export function isCanvasAltered() {
  if (found !== null) return found;
  const canvas = make("canvas", { width: SIDE, height: SIDE });
  const context = contextOf(canvas, { willReadFrequently: true });
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [red, green, blue] = patternAt(x, y);
      context.fillStyle = `rgb(${red}, ${green}, ${blue})`;
      context.fillRect(x, y, 1, 1);
    }
  }
  found = differs(context.getImageData(0, 0, SIDE, SIDE).data, SIDE);
  return found;
}

/**
 * Opaque colours of every kind, none like its neighbours: noise is added where something is drawn.
 * @param {number} x
 * @param {number} y
 */
export function patternAt(x, y) {
  return [(x * 37 + y * 11) % 256, (x * 5 + y * 73) % 256, (x * 19 + y * 29) % 256];
}

/**
 * @param {ArrayLike<number>} data RGBA, row by row
 * @param {number} side
 */
export function differs(data, side) {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = 4 * (y * side + x);
      const drawn = [...patternAt(x, y), 255];
      if (drawn.some((value, part) => data[at + part] !== value)) return true;
    }
  }
  return false;
}
