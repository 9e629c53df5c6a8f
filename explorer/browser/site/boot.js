/**
 * Load a page's scripts in their order, once its words are on the screen: nobody waits for a third of
 * a megabyte of script to read a sentence.
 */
const own = /** @type {HTMLScriptElement} */ (document.currentScript);

requestAnimationFrame(() => setTimeout(load));

function load() {
  for (const source of (own.dataset.scripts ?? "").split(" ").filter(Boolean)) {
    const script = document.createElement("script");
    script.src = source;
    script.async = false;
    document.head.append(script);
  }
}
