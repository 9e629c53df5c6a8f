/**
 * A slider that reports while it moves: at most once in PAUSE milliseconds, and always its last
 * value. State `value` follows the thumb, state `rest` where it was let go.
 */
const PAUSE = 60;

/**
 * @typedef {object} Data what Python tells the slider
 * @property {string} label
 * @property {string} role whose colour it has
 * @property {number} low
 * @property {number} high
 * @property {number} step
 * @property {number} value
 * @property {number} digits
 * @property {string[]} [names] of its places, in the place of numbers
 * @property {unknown} stamp another one moves the thumb
 */

/** @type {WeakMap<object, {stamp: unknown, sent: number, timer: number | undefined}>} */
const mounted = new WeakMap();

/** @param {import("../shared/component.js").Component<[Data]>} component */
export default function mount({ data: [data], parentElement, setStateValue }) {
  /** @type {HTMLElement} */
  const root = find(parentElement, ".live-slider");
  /** @type {HTMLInputElement} */
  const input = find(root, "input");
  const output = find(root, "output");
  const state = mounted.get(root) ?? { stamp: undefined, sent: 0, timer: undefined };
  mounted.set(root, state);

  find(root, "label").textContent = data.label;
  input.setAttribute("aria-label", data.label);
  root.style.setProperty("--accent", `var(--role-${data.role})`);
  input.min = String(data.low);
  input.max = String(data.high);
  input.step = String(data.step);
  const print = () => {
    const value = Number(input.value);
    const shown = data.names ? data.names[Math.round(value)] : value.toFixed(data.digits);
    const printed = shown.replace("-", "−");
    output.textContent = printed;
    input.setAttribute("aria-valuetext", printed);
    const share = (value - data.low) / (data.high - data.low);
    root.style.setProperty("--share", `${(100 * share).toFixed(2)}%`);
  };
  // The thumb belongs to the visitor: it is moved only when Python says so by a new stamp.
  if (state.stamp !== data.stamp) {
    state.stamp = data.stamp;
    input.value = String(data.value);
  }
  print();
  const send = () => {
    window.clearTimeout(state.timer);
    state.timer = undefined;
    state.sent = performance.now();
    setStateValue("value", Number(input.value));
  };
  input.oninput = () => {
    print();
    const wait = state.sent + PAUSE - performance.now();
    if (wait <= 0) send();
    else if (state.timer === undefined) state.timer = window.setTimeout(send, wait);
  };
  input.onchange = () => {
    print();
    send();
    setStateValue("rest", Number(input.value));
  };
  // Called too after a call that newer data overtook (shared/component.js): the hand still moves.
  return () => {
    if (!parentElement.isConnected) window.clearTimeout(state.timer);
  };
}

/**
 * @template {Element} Found
 * @param {ParentNode} parent
 * @param {string} selector of a part that the markup has
 * @returns {Found}
 */
function find(parent, selector) {
  return /** @type {Found} */ (parent.querySelector(selector));
}
