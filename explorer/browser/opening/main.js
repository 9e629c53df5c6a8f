import { keepSteps } from "../shared/steps.js";

/**
 * The frame that the document brings along: it goes once Streamlit has drawn the page's own sentence,
 * or whatever stands in its place. A map that stands in it waits for its place there, and then moves.
 */
const TROUBLE = ".stMainBlockContainer :is(.stAlert, .stException), [role=dialog]";
/** A page is done only when nothing of it waits for its script: Streamlit's server is quicker than they are. */
const DONE =
  "[data-test-script-state=notRunning] .stMainBlockContainer:not(:has([data-testid=stSkeleton])) .stElementContainer";
const DRAWN = [".stMainBlockContainer .explorer-lede", TROUBLE, DONE].join();

const frame = /** @type {HTMLElement} */ (document.getElementById("first-frame"));
/** @type {(HTMLElement & {mount?: (component: object) => () => void}) | null} the map's, which its script is given to */
const place = frame.querySelector(".early");
let leave = () => {};

/** Mount the map at once, as Streamlit will mount it. */
function openMap() {
  if (!frame.isConnected || !place?.mount) return;
  leave = place.mount({
    data: { payload: place.dataset.payload, opening: true },
    parentElement: place.shadowRoot,
    setStateValue: () => {},
    setTriggerValue: () => {},
  });
}

/** @returns {boolean} whether the frame still has to stand: for a map that is about to move */
function waits() {
  if (!place?.shadowRoot?.querySelector(".lx") || document.querySelector(TROUBLE)) return false;
  const isDrawn = document.querySelector("#root .explorer-skeleton") !== null;
  const wasDrawn = frame.classList.contains("handed");
  frame.classList.toggle("handed", isDrawn);
  return isDrawn || !(wasDrawn || document.querySelector(DONE));
}

const watch = new MutationObserver(() => {
  if (frame.isConnected && (!document.querySelector(DRAWN) || waits())) return;
  watch.disconnect();
  frame.remove();
  leave();
});
watch.observe(document.body, {
  childList: true,
  subtree: true,
  attributes: true,
  attributeFilter: ["data-test-script-state"],
});
keepSteps();
openMap();
place?.addEventListener("come", openMap);
