/**
 * A slider that reports while it moves: at most once in PAUSE milliseconds, and always its last
 * value. State `value` follows the thumb, state `rest` where it was let go.
 */
const PAUSE = 60;

/** @type {WeakMap<object, {stamp: unknown, sent: number, timer: number | undefined}>} */
const mounted = new WeakMap();

/** @param {any} component Streamlit's FrontendRendererArgs */
export default function mount(component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".live-slider");
  const input = root.querySelector("input");
  const output = root.querySelector("output");
  const state = mounted.get(root) ?? { stamp: undefined, sent: 0, timer: undefined };
  mounted.set(root, state);

  root.querySelector("label").textContent = data.label;
  input.setAttribute("aria-label", data.label);
  root.style.setProperty("--accent", `var(--role-${data.role})`);
  input.min = data.low;
  input.max = data.high;
  input.step = data.step;
  const print = () => {
    const value = Number(input.value);
    const shown = data.names ? data.names[Math.round(value)] : value.toFixed(data.digits);
    output.textContent = shown.replace("-", "−");
    input.setAttribute("aria-valuetext", output.textContent);
    const share = (value - data.low) / (data.high - data.low);
    root.style.setProperty("--share", `${(100 * share).toFixed(2)}%`);
  };
  // The thumb belongs to the visitor: it is moved only when Python says so by a new stamp.
  if (state.stamp !== data.stamp) {
    state.stamp = data.stamp;
    input.value = data.value;
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
  return () => window.clearTimeout(state.timer);
}
