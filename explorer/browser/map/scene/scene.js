/**
 * The scene as URL parameters: which model, where the map looks, z, pins, layers, seed. Everything
 * that comes in is checked and clamped; ids are never paths.
 */

import { PIN_NAMES } from "./state.js";
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
const KEYS = ["z", "view", "pins", "layers", "seed", "map", "out", "way", "picture", "off", "beta"];
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
 * @param {URLSearchParams} params
 * @param {{size: number, order: number[], defaults: Record<string, boolean>, outputs: State["outputMode"][]}} limits
 */
export function parseScene(params, { size, defaults, outputs }) {
  /** @type {Partial<State>} */
  const state = {};
  const z = readVector(params.get("z"), size);
  if (z) state.z = z;
  const seed = readNumber(params.get("seed"), 0, 2 ** 31 - 1);
  if (seed !== undefined) state.seed = Math.floor(seed);
  const pins = (params.get("pins") ?? "").split(";").slice(0, PIN_NAMES.length).map((text) => readVector(text, size));
  const kept = pins.filter((pin) => pin !== undefined);
  if (kept.length) state.pins = kept.map((pin, i) => ({ name: PIN_NAMES[i], z: pin }));
  const layers = params.get("layers");
  if (layers !== null && /^[a-z]*$/.test(layers)) {
    state.layers = Object.fromEntries(
      Object.keys(defaults).map((name) => [name, layers.includes(LAYER_CODES[name])]),
    );
  }
  const map = params.get("map");
  if (map === "pca" && size > 2) state.projection = { kind: "pca", dims: [] };
  const dims = /^(\d{1,3})-(\d{1,3})$/.exec(map ?? "")?.slice(1).map((n) => Number(n) - 1);
  if (dims && dims[0] !== dims[1] && dims.every((d) => d >= 0 && d < size)) {
    state.projection = { kind: "pair", dims };
  }
  const out = outputs.find((mode) => mode === params.get("out"));
  if (out) state.outputMode = out;
  const way = WAY_NAMES.find((name) => name === params.get("way"));
  if (way) state.pathKind = way;
  const off = (params.get("off") ?? "").split(",").map((n) => readNumber(n, 0, 255));
  if (off.some((n) => n !== undefined)) state.hidden = new Set(off.filter((n) => n !== undefined));
  const view = readVector(params.get("view"), 3);
  const picture = readNumber(params.get("picture"), -(2 ** 31), 2 ** 31 - 1);
  const hide = (params.get("hide") ?? "").split(",").filter((name) => HIDEABLE.includes(name));
  return {
    state,
    picture: picture === undefined ? undefined : Math.floor(picture),
    beta: readNumber(params.get("beta"), 0, 1e4),
    view: view && { x: view[0], y: view[1], scale: Math.min(1e5, Math.max(0.5, view[2])) },
    hide,
  };
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
    beta: showsReference(app) ? "" : String(app.header.figures.beta),
    layers: Object.keys(state.layers)
      .filter((name) => state.layers[name])
      .map((name) => LAYER_CODES[name])
      .join(""),
  };
  if (values.pins.length > MAX_LENGTH) values.pins = "";
  const { kind, dims } = state.projection;
  if (kind === "pca") values.map = "pca";
  if (kind === "pair" && size > 2 && dims.join() !== initial.projection.dims.join()) {
    values.map = dims.map((d) => d + 1).join("-");
  }
  return values;
}

/** @param {App} app */
const isFile = (app) => app.host.kind === "file";

/**
 * What the address bar asks for.
 * @param {App} app
 */
export function readScene(app) {
  const text = isFile(app) ? window.location.hash.slice(1) || app.header.scene || "" : window.location.search;
  const params = new URLSearchParams(text);
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
  });
  for (const name of scene.hide) app.root.classList.add(`hide-${name}`);
  return scene;
}

/**
 * The address that shows this scene again.
 * @param {App} app
 */
export function sceneAddress(app) {
  const values = formatScene(app);
  const url = new URL(window.location.href);
  const params = isFile(app) ? new URLSearchParams() : url.searchParams;
  for (const key of KEYS) params.delete(key);
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
  const keys = ["z", "pins", "layers", "seed", "projection", "outputMode", "pathKind", "input", "hidden", "member"];
  app.store.on(keys, write);
  app.viewSettled = write;
}
