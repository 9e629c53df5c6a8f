import { onceGone } from "../shared/component.js";
import { readHeader, readPayload } from "../shared/payload.js";
import { createWaitingHost } from "./early.js";
import { Explorer } from "./explorer.js";
import { fetchPayload } from "./fetch.js";
import { takeTurn } from "./turns.js";

/**
 * How Streamlit mounts the map. Three mounts share this module: one is given the payload (bytes), or
 * its fingerprint to fetch it by, and becomes the page; one is given small JSON messages from Python and passes them on; one asks for
 * the models of a sweep, which are megabytes, once the page stands there. Before all of them the
 * document itself mounts the map in its first frame (browser/opening): that one moves.
 * @typedef {import("../model/header.js").Member} Member
 * @typedef {NonNullable<import("./scene/state.js").State["models"]>} Models
 */

/** @type {Map<HTMLElement | ShadowRoot, {app: Explorer, fingerprint: string}>} */
const mounted = new Map();
/** @type {HTMLElement | ShadowRoot | null} where the first frame's map stands, until Streamlit mounts it */
let opened = null;
/** @type {Models | null} the menu of models, for maps that are mounted later */
let models = null;

/** @type {Map<string, Member>} models of sweeps by fingerprint, for maps that are mounted later */
const members = new Map();

/**
 * @param {string} fingerprint
 * @param {Member} member
 */
function deliver(fingerprint, member) {
  members.set(fingerprint, member);
  const [oldest] = members.keys();
  if (members.size > 24) members.delete(oldest);
  for (const { app } of mounted.values()) app.addMember(member);
}

/** @type {Map<HTMLElement | ShadowRoot, {of: string, ask: (() => void) | null}>} sweeps by their mount, and who waits */
const sweeps = new Map();

/** @param {import("../shared/component.js").Component} component */
function awaitMap({ data, parentElement, setStateValue }) {
  if (sweeps.get(parentElement)?.of !== data.sweep) {
    sweeps.set(parentElement, { of: data.sweep, ask: () => takeTurn("sweep", () => setStateValue("ready", data.sweep)) });
    afterPaint(askForSweeps);
  }
  return onceGone(parentElement, () => sweeps.delete(parentElement));
}

function askForSweeps() {
  const shown = new Set(Array.from(mounted.values(), ({ app }) => app.header.id));
  for (const sweep of sweeps.values()) {
    if (!shown.has(sweep.of)) continue;
    sweep.ask?.();
    sweep.ask = null;
  }
}

/** @type {Map<HTMLElement | ShadowRoot, import("../shared/component.js").Component>} mounts whose payload is on its way, as they were last called */
const awaiting = new Map();

/** @param {import("../shared/component.js").Component} component */
function mountFetched(component) {
  const { data, parentElement } = component;
  if (data.opening) opened = parentElement;
  else claimOpened(component, data.payload);
  const isOnItsWay = awaiting.get(parentElement)?.data.payload === data.payload;
  awaiting.set(parentElement, component);
  const present = mounted.get(parentElement);
  if (present && present.fingerprint === data.payload) {
    awaiting.delete(parentElement);
    present.app.host = hostOf(component);
    present.app.refreshTheme();
  } else if (!isOnItsWay) {
    fetchPayload(data.payload).then(
      (bytes) => arrive(parentElement, data.payload, (latest) => show(latest, bytes)),
      () => arrive(parentElement, data.payload, (latest) => latest.setStateValue("refused", data.payload)),
    );
  }
  return onceGone(parentElement, () => unmount(parentElement));
}

/**
 * Move the first frame's map, as it is, to where Streamlit mounts it; another one goes with its frame.
 * @param {import("../shared/component.js").Component} component
 * @param {string} fingerprint
 */
function claimOpened(component, fingerprint) {
  if (!opened) return;
  const from = opened;
  opened = null;
  const present = mounted.get(from);
  if (present?.fingerprint === fingerprint) {
    const focused = /** @type {HTMLElement | null} */ (/** @type {ShadowRoot} */ (from).activeElement);
    component.parentElement.append(present.app.root);
    mounted.delete(from);
    mounted.set(component.parentElement, present);
    focused?.focus({ preventScroll: true });
    const waiting = present.app.host;
    afterPaint(() => /** @type {import("./early.js").WaitingHost} */ (waiting).handOver(present.app.host));
  } else unmount(from);
  document.getElementById("first-frame")?.remove();
  tellWhetherItStands();
}

/** Let the page know, whose outline of the map goes then. */
function tellWhetherItStands() {
  const stands = [...mounted.keys()].some((parent) => parent !== opened);
  document.documentElement.classList.toggle("explorer-map-stands", stands);
}

/**
 * @param {HTMLElement | ShadowRoot} parent
 * @param {string} fingerprint of what was fetched: meanwhile another model may be wanted
 * @param {(latest: import("../shared/component.js").Component) => void} then
 */
function arrive(parent, fingerprint, then) {
  const latest = awaiting.get(parent);
  if (latest?.data.payload !== fingerprint) return;
  awaiting.delete(parent);
  then(latest);
}

const startWorker = () => new Worker(new URL("../model/worker.js", import.meta.url), { type: "module" });

/**
 * @param {import("../shared/component.js").Component} component
 * @returns {import("./scene/app.js").Host}
 */
const hostOf = (component) => ({
  kind: "streamlit",
  startWorker,
  setState: (name, value) => takeTurn("map", () => component.setStateValue(name, value)),
  trigger: (name, value) => takeTurn("map", () => component.setTriggerValue(name, value)),
});

/** @param {() => void} then called once what was drawn is on the screen */
const afterPaint = (then) => requestAnimationFrame(() => setTimeout(then));

/** @param {HTMLElement | ShadowRoot} parent */
function unmount(parent) {
  awaiting.delete(parent);
  mounted.get(parent)?.app.dispose();
  mounted.get(parent)?.app.root.remove();
  mounted.delete(parent);
  tellWhetherItStands();
}

/**
 * Become the page of a payload.
 * @param {import("../shared/component.js").Component} component
 * @param {Uint8Array} bytes
 */
function show(component, bytes) {
  const { parentElement } = component;
  const host = parentElement === opened ? createWaitingHost(startWorker) : hostOf(component);
  const { fingerprint, language, id } = readHeader(bytes).header;
  const present = mounted.get(parentElement);
  if (present && present.fingerprint === fingerprint) {
    present.app.host = host;
    present.app.refreshTheme();
    return;
  }
  const isSame = present?.app.header.id === id;
  const former = isSame && present?.app.header.language !== language ? present?.app : undefined;
  present?.app.dispose();
  const root = present?.app.root ?? document.createElement("div");
  root.className = "lx";
  if (!present) parentElement.append(root);
  const app = new Explorer(root, readPayload(bytes), host, former);
  // For tests and the curious: the page's own state.
  Object.assign(root, { explorer: app });
  mounted.set(parentElement, { app, fingerprint });
  tellWhetherItStands();
  for (const member of members.values()) app.addMember(member);
  if (models) app.receive({ models });
  afterPaint(askForSweeps);
}

/** @param {import("../shared/component.js").Component} component */
export default function mount(component) {
  const { data, parentElement } = component;
  if (data.sweep) return awaitMap(component);
  if (data.payload) return mountFetched(component);
  if (Array.isArray(data)) {
    const [message] = data;
    models = message.models ?? models;
    for (const { app } of mounted.values()) app.receive(message);
    return undefined;
  }
  const { fingerprint, role } = readHeader(data).header;
  if (role === "member") {
    deliver(fingerprint, readPayload(data));
    return undefined;
  }
  awaiting.delete(parentElement);
  claimOpened(component, fingerprint);
  show(component, data);
  return onceGone(parentElement, () => unmount(parentElement));
}
