import { make } from "../shared/dom.js";

/**
 * A widget's place in a notebook: its root, the colours around it, and the keys that are its own.
 *
 * What anywidget hands to `render`, as far as ours ask for it.
 * @typedef {object} WidgetModel the traits of a widget, which Python and the page share
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, hear: (...values: any[]) => void) => void} on
 * @property {(event: string, hear: (...values: any[]) => void) => void} off
 * @property {(content: unknown) => void} send
 *
 * @typedef {{model: WidgetModel, el: HTMLElement}} Place
 * @typedef {{render: (place: Place) => () => void}} Widget
 */

/** Themes come as style sheets: their colours are there a little after their name. */
const SETTLED_MS = 400;

/**
 * Make the root below `el` and begin once it has a size; returns what takes all of it away.
 * @param {HTMLElement} el
 * @param {string} name further classes of the root
 * @param {(root: HTMLElement) => {refresh: () => void, dispose: () => void}} begin
 */
export function settle(el, name, begin) {
  // Notebooks take single letters as commands, "dd" for one that removes the cell.
  const root = make("div", { class: `${name} in-notebook`, "data-lm-suppress-shortcuts": "true" });
  root.addEventListener("keydown", (event) => event.stopPropagation());
  el.append(root);
  /** @type {ReturnType<typeof begin> | undefined} */
  let content;
  const shown = new ResizeObserver(() => {
    if (!root.clientWidth) return;
    shown.disconnect();
    takeColours(root);
    content = begin(root);
  });
  shown.observe(root);
  const endColours = followColours(() => {
    if (!root.isConnected) return;
    takeColours(root);
    content?.refresh();
  });
  return () => {
    shown.disconnect();
    endColours();
    content?.dispose();
    root.remove();
  };
}

/**
 * Give the root the notebook's ground, by which it tells light from dark.
 * @param {HTMLElement} root
 */
function takeColours(root) {
  root.style.setProperty("--st-background-color", groundOf(root));
}

/**
 * The colour that an element stands on: that of the first around it which has one.
 * @param {Element} element
 */
function groundOf(element) {
  const context = make("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  /** @type {Node | null} */
  let around = element.parentNode;
  for (; context && around; around = around instanceof ShadowRoot ? around.host : around.parentNode) {
    if (!(around instanceof Element)) continue;
    context.clearRect(0, 0, 1, 1);
    // However it is written, hsl() and oklch() too: a pixel of it is red, green and blue.
    context.fillStyle = getComputedStyle(around).backgroundColor;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    if (alpha > 200) return `rgb(${red}, ${green}, ${blue})`;
  }
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "rgb(15, 18, 24)" : "rgb(255, 255, 255)";
}

/**
 * Tell whenever the notebook's theme, or the system's, may have changed; returns what ends it.
 * @param {() => void} tell
 */
function followColours(tell) {
  let timer = 0;
  const later = () => {
    tell();
    clearTimeout(timer);
    timer = window.setTimeout(tell, SETTLED_MS);
  };
  const observer = new MutationObserver(later);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", later);
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    system.removeEventListener("change", later);
  };
}

/**
 * The bytes of a trait: notebooks hand over a view of a larger message.
 * @param {DataView | Uint8Array} value
 */
export const bytesOf = (value) => new Uint8Array(value.buffer, value.byteOffset, value.byteLength);

/**
 * Call at most every `ms`, the last time with what came last; `cancel` drops what waits.
 * @param {number} ms
 * @param {() => void} call
 */
export function throttle(ms, call) {
  let timer = 0;
  const ask = () => {
    if (timer) return;
    timer = window.setTimeout(() => {
      timer = 0;
      call();
    }, ms);
  };
  return Object.assign(ask, { cancel: () => clearTimeout(timer) });
}
