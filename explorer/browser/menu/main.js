/**
 * On a phone the app's menu is a drawer: it is named, and it closes once a page is chosen; a chapter
 * opens at its top.
 */

const PACE = 400;
const CHOICE = '[data-testid="stSidebarNavLink"]';
const OPENER = '[data-testid="stExpandSidebarButton"]';
const WAY = ".st-key-learn_neighbours button";
const CLOSER = '[data-testid="stSidebarCollapseButton"] button';

/** @typedef {{open: string, close: string}} Words */

/** @type {Words | null} null before the first mount */
let words = null;

/** @param {import("../shared/component.js").Component<[{words: Words}]>} component */
export default function mount({ data: [data] }) {
  if (!words) listen();
  words = data.words;
  name();
  return undefined;
}

function listen() {
  // Streamlit closes it only where the finger happens to leave the drawer.
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest(CHOICE)) window.setTimeout(close, 0);
    // The way on stands at a chapter's foot; Streamlit would open the next one as far down.
    if (event.target.closest(WAY)) document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  });
  // Its buttons come and go with the width of the window and with every opening.
  window.setInterval(name, PACE);
}

function close() {
  const closer = document.querySelector(CLOSER);
  if (closer instanceof HTMLElement) closer.click();
}

function name() {
  const opener = document.querySelector(OPENER);
  opener?.setAttribute("aria-label", words?.open ?? "");
  opener?.setAttribute("data-word", words?.open ?? "");
  document.querySelector(CLOSER)?.setAttribute("aria-label", words?.close ?? "");
}
