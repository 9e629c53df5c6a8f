import { Explorer } from "../map/explorer.js";
import { readPayload } from "../shared/payload.js";
import { bytesOf, settle, throttle } from "./page.js";
import { answerSnapshots } from "./photograph.js";

/** z and a selection travel to Python at most so often while the hand moves. */
const TELL_MS = 100;
const REQUESTS = ["encode", "decode", "batch"];

/**
 * The latent map as a notebook's widget: z, the selection and what was picked are traits, which
 * Python may set as well; what only the kernel can compute is asked by message.
 * @param {string} worker the source of the interpreter's worker
 * @returns {import("./page.js").Widget}
 */
export default function widget(worker) {
  return {
    render: ({ model, el }) => settle(el, "lx", (root) => showMap(model, root, worker)),
  };
}

/** @type {number} of views in this page: the answers of the kernel reach all of them */
let views = 0;

/**
 * @param {import("./page.js").WidgetModel} model
 * @param {HTMLElement} root
 * @param {string} worker
 */
function showMap(model, root, worker) {
  const header = readPayload(bytesOf(model.get("payload")));
  views += 1;
  const view = `${views}-${Math.random()}`;
  /** @type {import("../map/scene/app.js").Host} */
  const host = {
    kind: "notebook",
    startWorker: () => startWorker(worker),
    setState: (name, value) => {
      if (REQUESTS.includes(name)) model.send({ view, kind: name, request: value });
    },
    trigger: (name, value) => {
      if (name === "picked") put(model, "picked", value);
    },
  };
  const app = new Explorer(root, header, host);
  // For tests and the curious: the page's own state.
  Object.assign(root, { explorer: app });
  const endTraits = shareTraits(model, app);
  /** @param {{view?: string} & import("../map/scene/app.js").Message} message */
  const hear = (message) => {
    if (message.view === view) app.receive(message);
  };
  model.on("msg:custom", hear);
  const endSnapshots = answerSnapshots(model, root);
  return {
    refresh: () => app.refreshTheme(),
    dispose: () => {
      endTraits();
      endSnapshots();
      model.off("msg:custom", hear);
      app.dispose();
    },
  };
}

/** @param {string} source */
function startWorker(source) {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(address);
  worker.addEventListener("error", () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

/**
 * @param {import("./page.js").WidgetModel} model
 * @param {string} name
 * @param {unknown} value
 */
function put(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

/**
 * Whether two lists hold the same, in the precision of the map.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
function same(a, b) {
  return a.length === b.length && Array.from(a).every((value, i) => Math.fround(value) === Math.fround(b[i]));
}

/**
 * Keep z, the selection and what was picked the same on both sides; returns what ends it.
 * @param {import("./page.js").WidgetModel} model
 * @param {Explorer} app
 */
function shareTraits(model, app) {
  const { store } = app;
  const selected = () => (store.state.selection?.indices ?? []).map((index) => app.idOf(index));
  const tell = throttle(TELL_MS, () => {
    const [z, selection] = [Array.from(store.state.z), selected()];
    if (!same(z, model.get("z"))) put(model, "z", z);
    if (!same(selection, model.get("selection"))) put(model, "selection", selection);
  });
  /** @type {[string, () => void][]} */
  const heard = [
    ["change:z", () => {
      const z = model.get("z");
      if (z.length === app.size && !same(z, store.state.z)) app.setZ(Float32Array.from(z));
    }],
    ["change:selection", () => {
      const ids = model.get("selection");
      if (!same(ids, selected())) app.select(findCodes(app, ids));
    }],
    ["change:picked", () => pick(app, model.get("picked"))],
  ];
  for (const [event, hear] of heard) model.on(event, hear);
  // What Python set before the page was there goes first; else the page's own z is told.
  if (model.get("z").length) heard[0][1]();
  if (model.get("selection").length) heard[1][1]();
  store.on(["z", "selection"], tell);
  tell();
  return () => {
    tell.cancel();
    for (const [event, hear] of heard) model.off(event, hear);
  };
}

/**
 * @param {Explorer} app
 * @param {number[]} ids
 */
function findCodes(app, ids) {
  const wanted = new Set(ids);
  return Array.from({ length: app.count }, (_, index) => index).filter((index) => wanted.has(app.idOf(index)));
}

/**
 * Go to what Python picked: an image by its id, its code where its picture is not here.
 * @param {Explorer} app
 * @param {{id?: number | null, z?: number[]}} picked
 */
function pick(app, { id, z }) {
  if (id === undefined || id === null || z) return; // With z it was picked here.
  const picture = app.pictureOf.get(id);
  const [index] = picture === undefined ? findCodes(app, [id]) : [];
  if (picture !== undefined) app.choosePicture(picture);
  else if (index !== undefined) app.setZ(app.codeAt(index));
}
