/**
 * The scene as URL parameters: which model, where the map looks, z, pins, layers, seed. Everything
 * that comes in is checked and clamped; ids are never paths.
 */

import { PIN_NAMES, tabsOf } from "./state.js";
import { showsReference } from "./sweep.js";

/**
 * @typedef {import("./app.js").App} App
 * @typedef {import("./state.js").State} State
 */

/** @type {Record<string, string>} */
const LAYER_CODES = {
  points: "p", numerals: "n", prior: "r", posterior: "q", manifold: "m", density: "d", path: "w", glyphs: "g",
};
const HIDEABLE = ["toolbar", "share", "tour", "input", "draw", "legend", "sliders", "panel", "output"];
const KEYS = ["z", "view", "pins", "layers", "seed", "map", "out", "way", "picture", "off", "beta", "tab", "see", "sum", "colour"];
const VIEWS = ["scored", "grey"];
/** @type {State["pathKind"][]} */
const WAY_NAMES = ["lerp", "slerp"];
const Z_LIMIT = 1000;
/** Servers refuse longer addresses: of many latents only z is carried. */
const MAX_LENGTH = 6000;

/**
 * @param {string | null | undefined} text
 * @param {number} low
 * @param {number} high
 * @returns {number | undefined} a finite number inside the limits, or nothing
 */
export function readNumber(text, low, high) {
  const value = text === null || text === undefined || text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : undefined;
}

/**
 * @param {string | null} text
 * @param {number} size
 * @returns {Float32Array | undefined} exactly `size` clamped numbers, or nothing
 */
export function readVector(text, size) {
  const values = (text ?? "").split(",").map((part) => readNumber(part, -Z_LIMIT, Z_LIMIT));
  if (values.length !== size || values.some((value) => value === undefined)) return undefined;
  return Float32Array.from(/** @type {number[]} */ (values));
}

/**
 * The terms of A − B + C: classes by number, pins by letter.
 * @param {string} text
 */
function readTerms(text) {
  const terms = text.split(",");
  if (terms.length !== 3 || !terms.every((term) => /^(\d{1,3}|[A-H])$/.test(term))) return undefined;
  return terms.map((term) => (PIN_NAMES.includes(term) ? `pin ${term}` : `class ${term}`));
}

/**
 * What the address asks for; `bad` names what is there and cannot be.
 * @param {URLSearchParams} params
 * @param {{size: number, order: number[], defaults: Record<string, boolean>, outputs: State["outputMode"][], tabs: string[], factors?: string[]}} limits
 */
export function parseScene(params, { size, defaults, outputs, tabs, factors = [] }) {
  /** @type {Partial<State>} */
  const state = {};
  /** @type {string[]} */
  const bad = [];
  /**
   * What is said under a key, undefined where nothing is; what cannot be is remembered as bad.
   * @template T
   * @param {string} key
   * @param {(text: string) => T | undefined} parse
   */
  const read = (key, parse) => {
    const text = params.get(key);
    const value = text === null ? undefined : parse(text);
    if (text && value === undefined) bad.push(key);
    return value;
  };
  /** @param {string[]} names */
  const oneOf = (names) => (/** @type {string} */ text) => names.find((name) => name === text);
  const z = read("z", (text) => readVector(text, size));
  if (z) state.z = z;
  const seed = read("seed", (text) => readNumber(text, 0, 2 ** 31 - 1));
  if (seed !== undefined) state.seed = Math.floor(seed);
  const pins = read("pins", (text) => {
    const all = text.split(";").slice(0, PIN_NAMES.length).map((pin) => readVector(pin, size));
    if (all.includes(undefined)) bad.push("pins");
    return all.flatMap((pin) => (pin ? [pin] : []));
  });
  if (pins?.length) state.pins = pins.map((pin, i) => ({ name: PIN_NAMES[i], z: pin }));
  const layers = read("layers", (text) => (/^[a-z]*$/.test(text) ? text : undefined));
  if (layers !== undefined) {
    state.layers = Object.fromEntries(
      Object.keys(defaults).map((name) => [name, layers.includes(LAYER_CODES[name])]),
    );
  }
  const map = read("map", (text) => readMap(text, size));
  if (map && map.kind !== "tsne") state.projection = map;
  const out = read("out", oneOf(outputs));
  if (out) state.outputMode = /** @type {State["outputMode"]} */ (out);
  const way = read("way", oneOf(WAY_NAMES));
  if (way) state.pathKind = /** @type {State["pathKind"]} */ (way);
  const off = read("off", (text) => {
    const hidden = text.split(",").map((n) => readNumber(n, 0, 255));
    return hidden.includes(undefined) ? undefined : /** @type {number[]} */ (hidden);
  });
  if (off) state.hidden = new Set(off);
  const colour = read("colour", oneOf(factors));
  if (colour) state.colour = colour;
  const tab = read("tab", oneOf(tabs));
  if (tab) state.tab = tab;
  const see = read("see", oneOf(VIEWS));
  if (see) state.inputView = see;
  const terms = read("sum", readTerms);
  if (terms) state.terms = terms;
  const view = read("view", (text) => readVector(text, 3));
  const picture = read("picture", (text) => readNumber(text, -(2 ** 31), 2 ** 31 - 1));
  const hide = (params.get("hide") ?? "").split(",").filter((name) => HIDEABLE.includes(name));
  return {
    state,
    picture: picture === undefined ? undefined : Math.floor(picture),
    beta: read("beta", (text) => readNumber(text, 0, 1e4)),
    view: view && { x: view[0], y: view[1], scale: Math.min(1e5, Math.max(0.5, view[2])) },
    tsne: map?.kind === "tsne",
    hide,
    bad,
  };
}

/**
 * Which plane of the latents the map shows: "2-5", "pca" or "tsne".
 * @param {string} text
 * @param {number} size
 * @returns {import("./state.js").Choice | undefined}
 */
function readMap(text, size) {
  if (text === "tsne" || (text === "pca" && size > 2)) return { kind: text, dims: [] };
  const dims = /^(\d{1,3})-(\d{1,3})$/.exec(text)?.slice(1).map((n) => Number(n) - 1);
  const fits = dims && dims[0] !== dims[1] && dims.every((d) => d >= 0 && d < size);
  return fits ? { kind: "pair", dims } : undefined;
}

/** @param {number} value */
const short = (value) => String(Number(value.toFixed(3)));

/**
 * The state as parameters, leaving out what is as it opens.
 * @param {App} app
 */
export function formatScene(app) {
  const { store, map, size } = app;
  const { state } = store;
  const initial = app.initialState();
  const values = {
    z: Array.from(state.z, short).join(","),
    pins: state.pins.map((pin) => Array.from(pin.z, short).join(",")).join(";"),
    picture: state.input?.kind === "stored" ? String(state.input.id) : "",
    view: map.fitted ? "" : [map.view.x, map.view.y, map.view.scale].map(short).join(","),
    seed: state.seed === initial.seed ? "" : String(state.seed),
    out: state.outputMode === initial.outputMode ? "" : state.outputMode,
    way: state.pathKind === initial.pathKind ? "" : state.pathKind,
    off: [...state.hidden].join(","),
    map: "",
    colour: app.factor ? state.colour : "",
    tab: state.tab === initial.tab ? "" : state.tab,
    see: state.inputView === initial.inputView ? "" : state.inputView,
    sum: state.terms.map((term) => term.split(" ")[1]).join(","),
    beta: showsReference(app) ? "" : String(app.header.figures.beta),
    layers: Object.keys(state.layers)
      .filter((name) => state.layers[name])
      .map((name) => LAYER_CODES[name])
      .join(""),
  };
  if (values.pins.length > MAX_LENGTH) values.pins = "";
  const { kind, dims } = state.projection;
  if (kind !== "pair") values.map = kind;
  if (kind === "pair" && size > 2 && dims.join() !== initial.projection.dims.join()) {
    values.map = dims.map((d) => d + 1).join("-");
  }
  return values;
}

/** @param {App} app */
const isFile = (app) => app.host.kind === "file";

/** Whether the page around has an address of its own, which says nothing of this map. @param {App} app */
const isGuest = (app) => app.host.kind === "notebook" || !/^(https?|file):/.test(window.location.protocol);

/**
 * What the page is asked to open with: by its address, by a file's own, or by who mounts it.
 * @param {App} app
 */
function askedScene(app) {
  if (isGuest(app)) return app.header.scene ?? "";
  return isFile(app) ? window.location.hash.slice(1) || app.header.scene || "" : window.location.search;
}

/**
 * What the address bar asks for.
 * @param {App} app
 */
export function readScene(app) {
  const params = new URLSearchParams(askedScene(app));
  // A scene of another model says nothing about this one.
  const other = !isFile(app) && params.get("model") !== null && params.get("model") !== app.header.id;
  /** @type {State["outputMode"][]} */
  const outputs = ["mean", "sample"];
  if (app.model.likelihood.deviationVaries) outputs.push("deviation");
  const scene = parseScene(other ? new URLSearchParams({ hide: params.get("hide") ?? "" }) : params, {
    size: app.size,
    order: app.order,
    defaults: app.initialState().layers,
    outputs,
    tabs: tabsOf(app),
    factors: app.factors.map(({ name }) => name),
  });
  if (scene.picture !== undefined && !app.pictureOf.has(scene.picture)) scene.bad.push("picture");
  for (const name of scene.hide) app.root.classList.add(`hide-${name}`);
  return scene;
}

/**
 * The address that shows this scene again; one that is shared opens as a page, not presenting.
 * @param {App} app
 * @param {boolean} [isShared]
 */
export function sceneAddress(app, isShared = false) {
  const values = formatScene(app);
  const url = new URL(window.location.href);
  const params = isFile(app) ? new URLSearchParams() : url.searchParams;
  for (const key of KEYS) params.delete(key);
  if (isShared) params.delete("present");
  if (!isFile(app)) params.set("model", app.header.id);
  for (const [key, value] of Object.entries(values)) if (value) params.set(key, value);
  const text = params.toString().replaceAll("%2C", ",").replaceAll("%3B", ";");
  if (isFile(app)) url.hash = text;
  else url.search = text;
  return url.toString();
}

/**
 * Keep the address bar in step with the scene, a little behind the hand.
 * @param {App} app
 */
export function watchScene(app) {
  if (isGuest(app)) return;
  let timer = 0;
  const write = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (!app.root.isConnected) return;
      const address = sceneAddress(app);
      if (address !== window.location.href) window.history.replaceState(window.history.state, "", address);
    }, 400);
  };
  /** @type {(keyof State)[]} */
  const keys = ["z", "pins", "layers", "seed", "projection", "outputMode", "pathKind", "input", "hidden", "colour", "member", "tab", "inputView", "terms"];
  app.store.on(keys, write);
  app.viewSettled = write;
}
