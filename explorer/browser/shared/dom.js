/**
 * @typedef {Record<string, any>} Properties
 * @typedef {Node | string | null | undefined | false} Child
 */

/**
 * Make an element: properties by name, `class`, `data-*` and `aria-*` as attributes, `on…` as
 * listeners; children are nodes or text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "style") element.style.cssText = value;
    else if (/^(data|aria)-|^(role|for|title|type|tabindex|list)$/.test(name)) {
      element.setAttribute(name, String(value));
    } else Object.assign(element, { [name]: value });
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * What draws on a canvas; throws where the browser has no memory left for one.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("This browser gives no canvas to draw on.");
  return context;
}

/**
 * A button that says what it does to a screen reader as well.
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @param {Properties} [properties]
 */
export function button(label, onclick, properties = {}) {
  return make("button", { type: "button", onclick, ...properties }, label);
}

/**
 * Numbers as they are printed: a true minus sign and a fixed count of decimals.
 * @param {number} value
 * @param {number} [decimals]
 */
export function print(value, decimals = 2) {
  const rounded = value.toFixed(decimals);
  return (Number(rounded) === 0 ? rounded.replace("-", "") : rounded).replace("-", "−");
}

/**
 * A point of the latent space, at most `shown` coordinates of it.
 * @param {Float32Array} z
 * @param {number} [decimals]
 * @param {number} [shown]
 */
export function printVector(z, decimals = 2, shown = 3) {
  const all = z.length <= shown + 1;
  const parts = Array.from(all ? z : z.subarray(0, shown), (value) => print(value, decimals));
  if (!all) parts.push("…");
  return `(${parts.join(", ")})`;
}

/**
 * The name of latent `index` (from 0), its number from 1 and set low: z₁, z₂, …
 * @param {number} index
 */
export function latentName(index) {
  return `z${String(index + 1).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)])}`;
}

/**
 * Hand a file to the user.
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
