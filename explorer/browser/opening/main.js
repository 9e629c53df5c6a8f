/**
 * The frame that the document brings along: it goes once Streamlit has drawn the page's own sentence,
 * or whatever stands in its place.
 */
const DRAWN = [
  ".stMainBlockContainer :is(.explorer-lede, .stAlert, .stException)",
  "[data-test-script-state=notRunning] .stMainBlockContainer .stElementContainer",
  "[role=dialog]",
].join();

const watch = new MutationObserver(() => {
  if (!document.querySelector(DRAWN)) return;
  watch.disconnect();
  document.getElementById("first-frame")?.remove();
});
watch.observe(document.body, {
  childList: true,
  subtree: true,
  attributes: true,
  attributeFilter: ["data-test-script-state"],
});
