/**
 * The page is written in the theme that the server was told of. When the reader's system turns to the
 * other one, Streamlit changes its own colours alone: the page is asked for anew.
 */

const PACE = 100;
const LOOKS = 20;
const MOST_ASKED = 3;
const PATIENCE = 1500;

let isDark = false;
/** How often it may still be looked whether the page stands in another theme than it was written in. */
let left = 0;
/** How often the server has been asked and has not followed. */
let asked = 0;
/** @type {number | undefined} */
let timer;
/** @type {() => void} */
let ask = () => {};

/** @param {import("../shared/component.js").Component<[{isDark: boolean}]>} component */
export default function mount({ data: [data], setTriggerValue }) {
  const isFirst = timer === undefined;
  isDark = data.isDark;
  ask = () => setTriggerValue("turned", true);
  if (isFirst) matchMedia("(prefers-color-scheme: dark)").addEventListener("change", watch);
  watch();
  return undefined;
}

function watch() {
  left = LOOKS;
  window.clearTimeout(timer);
  timer = window.setTimeout(look, PACE);
}

function look() {
  const app = document.querySelector(".stApp");
  const ground = app && getComputedStyle(app).backgroundColor.match(/[0-9.]+/g);
  if (ground && Number(ground[0]) < 128 !== isDark) {
    // A dialog closes when the page is written anew, with all that was put into it.
    if (document.querySelector('[role="dialog"]')) {
      timer = window.setTimeout(look, PATIENCE);
      return;
    }
    if (asked++ >= MOST_ASKED) return;
    ask();
    // A run that was overtaken is asked for again.
    timer = window.setTimeout(look, PATIENCE);
    return;
  }
  asked = 0;
  if (--left > 0) timer = window.setTimeout(look, PACE);
}
