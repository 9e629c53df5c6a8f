import { readHeader, readPayload } from "../shared/payload.js";
import { Explorer } from "./explorer.js";

/**
 * How Streamlit mounts the map. Three mounts share this module: one is given the payload (bytes) and
 * becomes the page; one is given small JSON messages from Python and passes them on; one asks for
 * the models of a sweep, which are megabytes, once the page stands there.
 * @typedef {import("../model/header.js").Member} Member
 * @typedef {NonNullable<import("./scene/state.js").State["models"]>} Models
 */

/** @type {Map<HTMLElement | ShadowRoot, {app: Explorer, fingerprint: string}>} */
const mounted = new Map();
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
    sweeps.set(parentElement, { of: data.sweep, ask: () => setStateValue("ready", data.sweep) });
    afterPaint(askForSweeps);
  }
  return () => sweeps.delete(parentElement);
}

function askForSweeps() {
  const shown = new Set(Array.from(mounted.values(), ({ app }) => app.header.id));
  for (const sweep of sweeps.values()) {
    if (!shown.has(sweep.of)) continue;
    sweep.ask?.();
    sweep.ask = null;
  }
}

/** @param {() => void} then called once what was drawn is on the screen */
const afterPaint = (then) => requestAnimationFrame(() => setTimeout(then));

/** @param {import("../shared/component.js").Component} component */
export default function mount(component) {
  const { data, parentElement } = component;
  if (data.sweep) return awaitMap(component);
  if (!(data instanceof Uint8Array)) {
    models = data.models ?? models;
    for (const { app } of mounted.values()) app.receive(data);
    return undefined;
  }
  /** @type {import("./scene/app.js").Host} */
  const host = {
    kind: "streamlit",
    startWorker: () => new Worker(new URL("../model/worker.js", import.meta.url), { type: "module" }),
    setState: component.setStateValue,
    trigger: component.setTriggerValue,
  };
  const { fingerprint, role, language, id } = readHeader(data).header;
  if (role === "member") {
    deliver(fingerprint, readPayload(data));
    return undefined;
  }
  const present = mounted.get(parentElement);
  if (present && present.fingerprint === fingerprint) {
    present.app.host = host;
    present.app.refreshTheme();
  } else {
    const isSame = present?.app.header.id === id;
    const former = isSame && present?.app.header.language !== language ? present?.app : undefined;
    present?.app.dispose();
    const root = present?.app.root ?? document.createElement("div");
    root.className = "lx";
    if (!present) parentElement.append(root);
    document.documentElement.classList.add("explorer-map-stands");
    const app = new Explorer(root, readPayload(data), host, former);
    // For tests and the curious: the page's own state.
    Object.assign(root, { explorer: app });
    mounted.set(parentElement, { app, fingerprint });
    for (const member of members.values()) app.addMember(member);
    if (models) app.receive({ models });
    afterPaint(askForSweeps);
  }
  return () => {
    mounted.get(parentElement)?.app.dispose();
    mounted.get(parentElement)?.app.root.remove();
    mounted.delete(parentElement);
    document.documentElement.classList.toggle("explorer-map-stands", mounted.size > 0);
  };
}
