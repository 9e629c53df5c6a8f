import { followPresenting } from "../../shared/presenting.js";

/**
 * Presenting: an exported page by its own button and full screen; in the app all pages do so together, and
 * the map follows.
 * @typedef {import("../scene/app.js").App} App
 *
 * @param {App} app
 * @returns {() => void} what ends it
 */
export function attachPresenting(app) {
  if (app.host.kind === "streamlit") return followPresenting((on) => present(app, on));
  app.root.classList.add("alone");
  const left = () => {
    if (!document.fullscreenElement) present(app, false);
  };
  document.addEventListener("fullscreenchange", left);
  return () => document.removeEventListener("fullscreenchange", left);
}

/** @param {App} app */
export function togglePresenting(app) {
  const on = !app.store.state.presentation;
  present(app, on);
  if (on) app.root.requestFullscreen?.().catch(() => {});
  else if (document.fullscreenElement) document.exitFullscreen();
}

/**
 * @param {App} app
 * @param {boolean} on
 */
function present(app, on) {
  const { layers, presentation } = app.store.state;
  if (presentation === on) return;
  app.store.set({ presentation: on, layers: on ? { ...layers, numerals: true } : layers });
}
