import { channels } from "../../shared/theme.js";

/** Viridis at nine even steps: its lightness rises evenly, for eyes that see few hues too. */
export const SCALE = [
  "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725",
];
const SHADES = 64;
const UNKNOWN = "#888888";

/**
 * @param {number} fraction 0 to 1 along the scale
 * @returns {string} hexadecimal
 */
export function scaleColour(fraction) {
  const place = Math.min(1, Math.max(0, fraction)) * (SCALE.length - 1);
  const before = Math.min(SCALE.length - 2, Math.floor(place));
  const [from, to] = [channels(SCALE[before]), channels(SCALE[before + 1])];
  const mixed = from.map((value, i) => Math.round(value + (place - before) * (to[i] - value)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** The colours of all shades; the last is that of a number that is not known. */
export const SHADE_COLOURS = [
  ...Array.from({ length: SHADES }, (_, i) => scaleColour(i / (SHADES - 1))),
  UNKNOWN,
];

/**
 * Which of the shades each number has.
 * @param {{values: ArrayLike<number>, low: number, high: number}} factor
 */
export function shadesOf({ values, low, high }) {
  return Uint8Array.from(values, (value) =>
    Number.isFinite(value) ? Math.round(((SHADES - 1) * (value - low)) / (high - low)) : SHADES,
  );
}
