/**
 * One step of Back for each act of the visitor. Streamlit makes a step of every parameter that a page
 * writes into its address, by itself too: whoever had opened Models went back four times to leave it.
 */

const ACTS = ["pointerdown", "keydown", "click"];

/** Have what no act of the visitor went before stand in the place of what stood in the address. */
export function keepSteps() {
  const { history } = window;
  if (history.pushState.name === "pushStep") return;
  const push = history.pushState.bind(history);
  let acted = false;
  for (const name of ACTS) window.addEventListener(name, () => { acted = true; }, { capture: true, passive: true });
  /** @type {History["pushState"]} */
  history.pushState = function pushStep(state, unused, url) {
    const isSamePage = new URL(url ?? "", window.location.href).pathname === window.location.pathname;
    if (isSamePage && !acted) history.replaceState(state, unused, url);
    else push(state, unused, url);
    acted = false;
  };
}
