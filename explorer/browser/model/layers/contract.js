/**
 * What a layer is. Each maker takes a description (explorer/models/adopted/layers/schema.py) and the
 * shape that comes in, and returns the shape that goes out and `run(x, y)`, which writes into y.
 * Shapes leave out the batch: one picture at a time. Loops are written for speed.
 *
 * @typedef {(x: Float32Array, y: Float32Array) => void} Run
 * @typedef {object} Layer
 * @property {number[]} shape
 * @property {Run | null} run null where only the shape changes
 * @property {boolean} [inPlace] whether y may be x
 * @property {number} [multiplyAdds] of one picture, as many as it puts out values where none is said
 * @typedef {Float32Array & {shape: number[]}} Floats an array with its shape
 * @typedef {{weight: Floats, bias?: Floats}} Weights
 * @typedef {(description: any, shape: number[]) => Layer} Maker
 */

/** @param {number[]} shape */
export const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

/**
 * How far apart neighbours along each axis lie.
 * @param {number[]} shape
 */
export function stridesOf(shape) {
  const strides = new Array(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/**
 * Where each value of an array of `shape` stands in one whose steps along the axes are `strides`.
 * @param {number[]} shape
 * @param {number[]} strides
 * @param {number} [start]
 */
export function placesOf(shape, strides, start = 0) {
  const places = new Int32Array(sizeOf(shape));
  const at = new Array(shape.length).fill(0);
  for (let i = 0, place = start; i < places.length; i++) {
    places[i] = place;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis];
      if (++at[axis] < shape[axis]) break;
      place -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return places;
}

/**
 * Which value of an array of `shape` stands at each place of `goal`, by broadcasting.
 * @param {number[]} shape
 * @param {number[]} goal
 */
export function broadcastPlaces(shape, goal) {
  const missing = goal.length - shape.length;
  const own = stridesOf(shape);
  const strides = goal.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : own[axis - missing]));
  return placesOf(goal, strides);
}
