/** Colours of the page as the canvas needs them. One colour per role, defined in style.css. */

/** @type {Role[]} */
const ROLES = ["ink", "muted", "faint", "line", "surface", "page", "mu", "sigma", "z", "rec", "kl", "gap"];

/** Petroff's ten accessible colours, in his order (arXiv:2107.02270). */
export const CLASS_COLOURS = [
  "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
  "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
];

/**
 * @typedef {"ink" | "muted" | "faint" | "line" | "surface" | "page" | "mu" | "sigma" | "z" | "rec" | "kl" | "gap"} Role
 * @typedef {Record<Role, string> & {dark: boolean, font: string}} Theme
 */

/**
 * Follow Streamlit's theme where there is one, the system's otherwise.
 * @param {HTMLElement} root
 * @returns {Theme}
 */
export function readTheme(root) {
  const page = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  const dark = page
    ? luminance(page) < 0.4
    : window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.classList.toggle("dark", dark);
  const style = getComputedStyle(root);
  const colours = /** @type {Record<Role, string>} */ (
    Object.fromEntries(ROLES.map((role) => [role, style.getPropertyValue(`--lx-${role}`).trim()]))
  );
  return { ...colours, dark, font: style.fontFamily };
}

/**
 * The colour of a class; without labels every point has the first.
 * @param {number} label
 */
export const classColour = (label) => CLASS_COLOURS[label % CLASS_COLOURS.length];

/** @param {string} hex @returns {[number, number, number]} */
export function channels(hex) {
  const match = /^#?([0-9a-f]{6})/i.exec(hex.length === 4 ? hex.replace(/\w/g, "$&$&") : hex);
  const value = parseInt(match ? match[1] : "888888", 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** @param {string} colour */
function luminance(colour) {
  const numbers = colour.startsWith("rgb")
    ? (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number)
    : channels(colour);
  return (0.2126 * numbers[0] + 0.7152 * numbers[1] + 0.0722 * numbers[2]) / 255;
}
