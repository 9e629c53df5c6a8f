/**
 * The page's state: what is shown, and what was done to it.
 * @typedef {import("../../model/described.js").Mode} Mode
 * @typedef {import("../geometry/paths.js").Way} Way
 * @typedef {import("../geometry/projection.js").Projection} Projection
 *
 * @typedef {object} Given a picture to encode, before the model has seen it
 * @property {"stored" | "drawing" | "file"} kind
 * @property {number} id
 * @property {number | null} label
 * @property {Float32Array} grey
 * @property {number} [index] among the stored pictures
 * @property {string} [source] the split of a stored picture, or "sample"
 * @property {string} [name] of a file
 * @property {boolean} [live] drawn right now
 *
 * @typedef {Given & {x: Float32Array, mean: Float32Array, logvar: Float32Array | null}} Input
 * the picture as it is scored, and its q(z|x)
 *
 * @typedef {object} Hover
 * @property {Float32Array} z
 * @property {number} near the code under the pointer, −1 for none
 * @property {number | undefined} index the code whose z it is, in a projection
 * @property {{x: number, y: number}} screen
 *
 * @typedef {{name: string, z: Float32Array}} Pin
 * @typedef {{kind: "pair" | "pca" | "tsne", dims: number[], computed?: Projection}} Choice of a projection
 * @typedef {import("../geometry/selection.js").Summary & {mask: Uint8Array}} Selection
 *
 * @typedef {object} State
 * @property {Float32Array} z what is decoded
 * @property {Hover | null} hover
 * @property {Input | null} input
 * @property {string} inputView "scored" or "grey"
 * @property {boolean} drawing
 * @property {Mode} outputMode
 * @property {Record<string, boolean>} layers
 * @property {Set<number>} hidden classes, or words that colour
 * @property {string} colour the factor that colours the points; empty for the class
 * @property {Pin[]} pins
 * @property {{frames: Float32Array[], current: number} | null} path
 * @property {Way} pathKind
 * @property {Choice} projection
 * @property {string} tool "hover", "lasso" or "box"
 * @property {Selection | null} selection
 * @property {import("../../model/estimate.js").Estimate | null} estimate
 * @property {number} seed
 * @property {string} tab
 * @property {string[]} terms of the arithmetic, "class 3" or "pin A"; empty as it opens
 * @property {boolean} presentation
 * @property {string} notice
 * @property {{id: string, name: string, group: string}[] | null} models to choose from
 * @property {import("../../model/header.js").Member[]} members of the sweep, in order of β
 * @property {number} member which of them is shown, −1 while it has not come
 */

export const PIN_NAMES = "ABCDEFGH";

/**
 * The pins and one more at z, under the first letter that is free; null where none is.
 * @param {Pin[]} pins
 * @param {Float32Array} z
 */
export function withPin(pins, z) {
  const free = [...PIN_NAMES].find((name) => !pins.some((pin) => pin.name === name));
  if (!free) return null;
  return [...pins, { name: free, z: z.slice() }].sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * The questions that can be asked of a point here, in their order.
 * @param {Pick<Page, "model" | "count">} page
 */
export function tabsOf({ model, count }) {
  const has = {
    likelihood: model.hasPosterior && model.canScore,
    path: true,
    arithmetic: count > 0,
    traversal: true,
    selection: count > 0,
  };
  return Object.entries(has).flatMap(([name, is]) => (is ? [name] : []));
}

/** An address carries z in thousandths. */
const ROUNDED = 6e-4;

/**
 * Whether z is the code of a picture, and not a point that was chosen.
 * @param {Float32Array} z
 * @param {Float32Array} mean
 */
export function standsAt(z, mean) {
  return mean.every((value, i) => Math.abs(value - z[i]) < ROUNDED);
}

/**
 * How a page opens.
 * @typedef {{size: number, order: number[], count: number, model: {hasPosterior: boolean, canScore: boolean}}} Page
 * @param {Page} page
 * @returns {State}
 */
export function openingState({ size, order, model, count }) {
  return {
    z: new Float32Array(size),
    hover: null,
    input: null,
    inputView: "scored",
    drawing: false,
    outputMode: "mean",
    layers: {
      points: true, numerals: true, prior: true, posterior: true,
      manifold: true, density: false, path: true, glyphs: false,
    },
    hidden: new Set(),
    colour: "",
    pins: [],
    path: null,
    pathKind: "lerp",
    projection: { kind: "pair", dims: order.slice(0, 2).sort((a, b) => a - b) },
    tool: "hover",
    selection: null,
    estimate: null,
    seed: 1,
    tab: tabsOf({ model, count })[0],
    terms: [],
    presentation: false,
    notice: "",
    models: null,
    members: [],
    member: -1,
  };
}
