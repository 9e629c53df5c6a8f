/** The map without a hand: what keys do where it has the focus, and Escape on the whole page. */

/** So long a point stands still until it is told to those who do not see it. */
const REST_MS = 300;

/**
 * @typedef {import("../scene/app.js").App} App
 * @typedef {[number, number]} Way right and up
 */

/**
 * @param {App} app
 * @param {import("./map.js").LatentMap} map
 */
export function attachKeys(app, map) {
  let resting = 0;
  /** @param {number} factor */
  const zoom = (factor) => {
    map.view.zoomAt(map.view.width / 2, map.view.height / 2, factor);
    map.viewChanged(true);
  };
  /** @param {Way} way */
  const move = (way) => {
    if (app.store.state.presentation && stepScene(app, way)) return;
    if (!nudge(app, way)) return;
    clearTimeout(resting);
    resting = window.setTimeout(() => {
      app.commit();
      sayPlace(app.root);
    }, REST_MS);
  };
  /** @type {Record<string, () => void>} */
  const commands = {
    "+": () => zoom(1.25),
    "=": () => zoom(1.25),
    "-": () => zoom(0.8),
    0: () => map.fit(),
    p: () => app.addPin(),
    s: () => app.samplePrior(),
    n: () => app.nextPicture(),
  };
  map.top.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 0.5 : 0.1;
    /** @type {Record<string, Way>} */
    const moves = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key]) move(moves[event.key]);
    else if (commands[event.key]) commands[event.key]();
    else return;
    event.preventDefault();
  });
}

/**
 * Move the point that is decoded; false where the map shows no plane of the latent space.
 * @param {App} app
 * @param {Way} way
 */
function nudge(app, [dx, dy]) {
  const { dims, isSpace } = app.map.projection;
  if (!isSpace) return false;
  const z = app.store.state.z.slice();
  z[dims[0]] += dx;
  if (dims.length > 1) z[dims[1]] += dy;
  app.setZ(z);
  return true;
}

/**
 * Tell those who do not see the map where z came to rest.
 * @param {HTMLElement} root
 */
function sayPlace(root) {
  const spoken = root.querySelector("[data-role=spoken]");
  const lines = [...(root.querySelector("[data-role=point]")?.children ?? [])];
  if (spoken) spoken.textContent = lines.map((line) => line.textContent).join(" · ");
}

/**
 * In presentation mode the arrow keys walk from pin to pin; false where there are none.
 * @param {App} app
 * @param {Way} way
 */
function stepScene(app, [dx, dy]) {
  const { pins, z } = app.store.state;
  if (!pins.length) return false;
  const here = pins.findIndex((pin) => pin.z.every((value, i) => value === z[i]));
  const next = (here + (dx + dy > 0 ? 1 : -1) + (here < 0 && dx + dy < 0 ? 1 : 0) + pins.length) % pins.length;
  app.setZ(pins[next].z.slice());
  app.commit();
  return true;
}

/**
 * Escape: close what is open, then leave presentation mode, then clear the selection.
 * @param {App} app
 */
export function escape(app) {
  const { presentation, selection, tool } = app.store.state;
  if (app.closePopups?.()) return;
  if (app.map.outline.length || tool !== "hover") {
    app.map.outline = [];
    app.store.set({ tool: "hover" });
  } else if (selection) app.clearSelection();
  else if (presentation && app.host.kind !== "streamlit") app.store.set({ presentation: false });
  else app.hoverEnd();
  app.map.repaint();
}
