import { chooseModel } from "../model/choose.js";
import { estimateBound } from "../model/estimate.js";
import { RemoteModel } from "../model/remote.js";
import { binarise, storedPicture } from "../shared/picture.js";
import { createRandom } from "../shared/random.js";
import { Store } from "../shared/store.js";
import { createText } from "../shared/text.js";
import { readTheme } from "../shared/theme.js";
import { nearestRow } from "./geometry/nearest.js";
import { pairProjection, pcaProjection } from "./geometry/projection.js";
import { insideOutline, maskOf, summarise } from "./geometry/selection.js";
import { buildLayout } from "./panels/layout.js";
import { attachGestures } from "./plane/gestures.js";
import { attachKeys } from "./plane/keys.js";
import { LatentMap } from "./plane/map.js";
import { readScene, watchScene } from "./scene/scene.js";
import { openingState, withPin } from "./scene/state.js";
import { addMember, showMember } from "./scene/sweep.js";
import { askProjection, receiveProjection } from "./scene/tsne.js";

/**
 * Everything on the page and what can be done with it: the state, and the actions that change it.
 * Panels draw the state; they never change each other.
 *
 * @typedef {import("../model/header.js").Header} Header
 * @typedef {import("./scene/app.js").App} App
 * @typedef {import("./scene/app.js").Host} Host
 * @typedef {import("./scene/state.js").State} State
 * @implements {App}
 */
export class Explorer {
  /**
   * @param {HTMLElement} root
   * @param {Header} header the payload
   * @param {Host} host
   * @param {Explorer} [former] the same model's page in another language, whose scene is kept
   */
  constructor(root, header, host, former) {
    this.root = root;
    if (header.language) root.lang = header.language;
    /** @type {(() => boolean) | undefined} set while a window is open */
    this.closePopups = undefined;
    /** @type {((file: {name: string, type: string, data: string}) => void) | undefined} */
    this.saveFile = undefined;
    /** @type {(() => void) | undefined} */
    this.disposeLayout = undefined;
    /** @type {(() => void) | undefined} */
    this.viewSettled = undefined;
    /** @type {State["projection"] | undefined} the t-SNE of the codes, once it is here */
    this.tsne = undefined;
    /** How often the picture that comes out was drawn, for tests and the bench. */
    this.painted = 0;
    this.noticeTimer = 0;
    this.header = header;
    this.host = host;
    this.text = createText(header.text);
    this.theme = readTheme(root);
    const isServed = host.kind !== "file";
    this.model = chooseModel(header, {
      startWorker: host.startWorker,
      ask: isServed ? (request) => this.host.setState(request.kind, request) : null,
    });
    this.size = header.latent.size;
    this.pictureOf = new Map(Array.from(header.pictures?.ids ?? [], (id, place) => [id, place]));
    /** @type {Float32Array} (N, size), row by row */
    this.codes = new Float32Array(0);
    /** @type {Uint8Array | Int32Array | null} */
    this.labels = null;
    this.factors = /** @type {import("../model/header.js").Factor[]} */ ([]);
    this.count = 0;
    /** @type {number[] | null} */
    this.kl = null;
    /** @type {number[]} latents, the most active first: by KL, or by spread where there is none */
    this.order = [];
    this.readCodes();
    this.store = new Store(this.initialState());
    const scene = readScene(this);
    this.store.state = { ...this.store.state, ...scene.state };
    /** β that the address asks for, until its model arrives. */
    this.wantedBeta = scene.beta;
    if (former) this.succeed(former);
    /** @type {LatentMap} */
    this.map = new LatentMap(this);
    this.project(this.store.state.projection);
    buildLayout(this);
    attachGestures(this, this.map);
    attachKeys(this, this.map);
    this.react();
    if (former) estimateBound(this);
    else this.firstInput(scene);
    this.store.start();
    const before = former?.map;
    const view = before ? !before.fitted && before.view.copy() : scene.view;
    if (view) {
      this.map.fitted = false;
      Object.assign(this.map.view, view);
    }
    watchScene(this);
    this.map.viewChanged();
    if (former) return;
    if (scene.bad.length) this.notify("scene_ignored", { names: scene.bad.join(", ") });
    if (scene.tsne && this.host.kind === "streamlit") askProjection(this);
  }

  /**
   * Take over the scene of the page before: its state, and the model of its sweep.
   * @param {Explorer} former
   */
  succeed(former) {
    const { members, member, notice, ...kept } = former.store.state;
    // The pad opens empty; what was drawn stays as the picture.
    Object.assign(this.store.state, kept, { drawing: false });
    if (members.length > 1 && member >= 0) this.wantedBeta = members[member].figures.beta;
    this.tsne = former.tsne;
  }

  readCodes() {
    const { codes } = this.header;
    this.codes = codes?.mean ?? new Float32Array(0);
    this.labels = codes?.labels ?? null;
    this.factors = codes?.factors ?? [];
    this.count = this.codes.length / this.size;
    this.kl = codes?.kl ?? null;
    const activity = this.kl ?? codes?.spread ?? new Array(this.size).fill(0);
    this.order = Array.from({ length: this.size }, (_, i) => i).sort((a, b) => activity[b] - activity[a]);
  }

  /** @param {number} index of a code */
  idOf(index) {
    const ids = this.header.codes?.ids ?? 0;
    return typeof ids === "number" ? ids + index : ids[index];
  }

  get factor() { return this.factors.find(({ name }) => name === this.store.state.colour); }
  get groups() { return this.factor?.words ? this.factor.values : this.labels; }
  get groupNames() { return this.factor?.words ?? this.header.classes; }

  initialState() {
    return openingState(this);
  }

  react() {
    const { store, map } = this;
    store.on(["layers", "hidden", "selection"], () => map.points.invalidate());
    store.on(["layers", "hidden", "selection", "presentation"], () => map.repaint());
    store.on(["layers"], () => map.refreshTiles()), store.on(["colour"], () => map.colour());
    store.on(["z", "hover", "input", "pins", "path"], () => map.repaintTop());
    if (this.size > 2) {
      let timer = 0;
      store.on(["z"], () => {
        clearTimeout(timer);
        timer = window.setTimeout(() => map.refreshTiles(), 200);
      });
    }
    store.on(["projection"], ({ projection }) => this.project(projection));
    store.on(["input"], () => estimateBound(this));
    store.on(["presentation"], ({ presentation }) => this.root.classList.toggle("presentation", presentation));
  }

  /**
   * Models of the same sweep, for the β slider.
   * @param {import("../model/header.js").Member} member
   */
  addMember(member) {
    addMember(this, member);
  }

  /** @param {number} index */
  showMember(index) {
    showMember(this, index);
  }

  /** @param {State["projection"]} choice */
  project(choice) {
    const { codes, size } = this;
    if (choice.kind === "pair") this.map.setProjection(pairProjection(codes, size, choice.dims));
    else if (choice.kind === "pca") this.map.setProjection(pcaProjection(codes, size));
    else if (choice.computed) this.map.setProjection(choice.computed);
  }

  // Input

  /**
   * The picture that the page opens with: the scene's, else the first that is at hand.
   * @param {{picture: number | undefined, state: Partial<State>}} scene
   */
  firstInput({ picture, state }) {
    const known = picture === undefined ? undefined : this.pictureOf.get(picture);
    this.choosePicture(known ?? 0, state.z === undefined);
  }

  /**
   * Choose a stored picture.
   * @param {number} index
   * @param {boolean} follow whether z moves to its posterior mean
   */
  choosePicture(index, follow = true) {
    if (!this.header.pictures) return;
    const { pixels, labels, ids, source } = this.header.pictures;
    const grey = storedPicture(pixels, index, this.model.pixelCount);
    const label = labels ? labels[index] : null;
    this.setInput({ kind: "stored", index, id: ids[index], label, source, grey }, follow);
  }

  nextPicture() {
    const stored = this.header.pictures;
    if (!stored) return;
    const { input } = this.store.state;
    const index = input?.index === undefined ? 0 : input.index + 1;
    this.choosePicture(index % stored.ids.length);
    this.commit();
  }

  /**
   * Encode a picture: it lands on the map with its posterior, and its reconstruction appears.
   * @param {import("./scene/state.js").Given} input
   * @param {boolean} follow whether z moves to its posterior mean
   */
  setInput(input, follow = true) {
    const { seed } = this.store.state;
    const random = createRandom(Math.imul(seed, 7919) + input.id);
    const x = this.model.binarise ? binarise(input.grey, random) : input.grey;
    this.model.encodeSoon(x, ({ mean, logvar }) => {
      const patch = { input: { ...input, x, mean, logvar }, estimate: null };
      this.store.set(follow ? { ...patch, z: mean.slice(), hover: null } : patch);
    });
  }

  // The point that is decoded

  /** @param {Float32Array} z */
  setZ(z) {
    this.store.set({ z, hover: null });
  }

  /** Tell Python where z came to rest. */
  commit() {
    this.host.setState("z", Array.from(this.store.state.z));
  }

  /**
   * Change one latent while a slider moves.
   * @param {number} index
   * @param {number} value
   */
  setLatent(index, value) {
    const z = this.store.state.z.slice();
    z[index] = value;
    this.setZ(z);
  }

  /**
   * @param {number} x in the plane
   * @param {number} y
   * @param {number} reach
   * @param {{x: number, y: number}} screen
   */
  hoverAt(x, y, reach, screen) {
    this.store.set({ hover: { ...this.map.zAt(x, y, reach), screen } });
  }

  hoverEnd() {
    if (this.store.state.hover) this.store.set({ hover: null });
  }

  /**
   * A click: hold z there; on a point whose picture is at hand, choose that picture.
   * @param {number} x in the plane
   * @param {number} y
   * @param {number} reach
   * @param {boolean} pin whether it is marked as well
   */
  pickAt(x, y, reach, pin) {
    const { z, near } = this.map.zAt(x, y, reach);
    const picture = near >= 0 ? this.pictureOf.get(this.idOf(near)) : undefined;
    if (picture !== undefined && !pin) this.choosePicture(picture);
    else this.setZ(near >= 0 ? this.codeAt(near) : z);
    if (pin) this.addPin(near >= 0 ? this.codeAt(near) : z);
    this.store.flush();
    this.host.trigger("picked", {
      z: Array.from(this.store.state.z),
      id: near >= 0 ? this.idOf(near) : null,
      label: near >= 0 && this.labels ? this.labels[near] : null,
    });
    this.commit();
  }

  /** @param {number} index */
  codeAt(index) {
    return this.codes.slice(index * this.size, (index + 1) * this.size);
  }

  /**
   * The code nearest to z among at most 20,000; −1 where there are none.
   * @param {Float32Array} z
   */
  nearestCode(z) {
    const { codes, size } = this;
    if (size <= 2 && this.map.projection.isSpace && this.map.index && size === this.map.projection.dims.length) {
      const [a, b] = this.map.projection.dims;
      if (size === 2) return this.map.index.nearest(z[a], z[b]);
    }
    return nearestRow(codes, size, z);
  }

  samplePrior() {
    const seed = this.store.state.seed + 1;
    const random = createRandom(Math.imul(seed, 40503));
    this.store.set({ z: this.model.prior.sample(this.size, random), hover: null, seed });
    this.commit();
  }

  /** Back to the chosen picture's posterior mean, the whole map in view, nothing selected. */
  reset() {
    const { input } = this.store.state;
    const z = input?.mean ? input.mean.slice() : new Float32Array(this.size);
    this.store.set({
      z, hover: null, pins: [], path: null, selection: null, hidden: new Set(), tool: "hover",
      projection: this.initialState().projection, outputMode: "mean",
    });
    this.map.fit();
    this.commit();
  }

  // Pins and selection

  addPin(z = this.store.state.z) {
    const { pins } = this.store.state;
    const more = withPin(pins, z);
    if (more) this.store.set({ pins: more });
    else this.notify("pins_full");
  }

  /** @param {string} name */
  removePin(name) {
    this.store.set({ pins: this.store.state.pins.filter((pin) => pin.name !== name) });
  }

  /** @param {number[][]} outline corners in the map's plane */
  selectOutline(outline) {
    const { xs, ys } = this.map.projection;
    const { hidden } = this.store.state;
    this.select(outline.length < 3 ? [] : insideOutline(xs, ys, outline, (i) => !this.groups || !hidden.has(this.groups[i])));
  }

  /** @param {number[]} indices of codes; none to clear the selection */
  select(indices) {
    if (!indices.length) return this.clearSelection();
    this.store.set({ selection: { mask: maskOf(indices, this.count), ...summarise(this, indices) }, tab: "selection", tool: "hover" });
  }

  clearSelection() { this.store.set({ selection: null, tool: "hover" }); }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  notify(key, values) {
    this.store.set({ notice: this.text(key, values) });
    clearTimeout(this.noticeTimer);
    this.noticeTimer = window.setTimeout(() => this.store.set({ notice: "" }), 5000);
  }

  /** The page's colours changed. */
  refreshTheme() {
    const before = this.theme;
    this.theme = readTheme(this.root);
    if (before.dark === this.theme.dark && before.page === this.theme.page) return;
    this.map.points.invalidate();
    this.map.tiles.forget();
    this.map.repaint();
    this.map.refreshTiles();
    this.store.start();
  }

  /**
   * A message from Python: the models to choose from, a decoded picture, a finished file.
   * @param {import("./scene/app.js").Message} message
   */
  receive(message) {
    if (message.models) this.store.set({ models: message.models });
    if (message.decoded && this.model instanceof RemoteModel) this.model.receive(message.decoded);
    if (message.file) this.saveFile?.(message.file);
    if (message.failure) this.notify("failure", { reason: message.failure });
    if (message.projection) receiveProjection(this, message.projection);
  }

  askProjection() {
    askProjection(this);
  }

  dispose() {
    this.map.dispose();
    this.model.dispose();
    this.store.stop();
    this.disposeLayout?.();
  }
}
