import { estimateBound } from "../model/estimate.js";
import { Model } from "../model/model.js";
import { RemoteModel } from "../model/remote.js";
import { binarise, storedPicture } from "../shared/picture.js";
import { createRandom } from "../shared/random.js";
import { Store } from "../shared/store.js";
import { createText } from "../shared/text.js";
import { readTheme } from "../shared/theme.js";
import { pairProjection, pcaProjection } from "./geometry/projection.js";
import { insideOutline, summarise } from "./geometry/selection.js";
import { buildLayout } from "./panels/layout.js";
import { attachGestures } from "./plane/gestures.js";
import { LatentMap } from "./plane/map.js";
import { readScene, watchScene } from "./scene/scene.js";
import { addMember, showMember } from "./scene/sweep.js";
import { askProjection, receiveProjection } from "./scene/tsne.js";

const PIN_NAMES = "ABCDEFGH";

/**
 * Everything on the page and what can be done with it: the state, and the actions that change it.
 * Panels draw the state; they never change each other.
 *
 * @typedef {{
 *   kind: "streamlit" | "file",
 *   setState: (name: string, value: any) => void,
 *   trigger: (name: string, value: any) => void,
 * }} Host who the page belongs to: Streamlit, or a file that stands alone
 */
export class Explorer {
  /**
   * @param {HTMLElement} root
   * @param {any} header the payload
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
    /** @type {number | undefined} */
    this.estimating = undefined;
    /** @type {any} the t-SNE of the codes, once it is here */
    this.tsne = undefined;
    this.header = header;
    this.host = host;
    this.text = createText(header.text);
    this.theme = readTheme(root);
    this.model = header.networks ? new Model(header) : new RemoteModel(header, (request) => this.host.setState(request.kind, request));
    this.readCodes();
    this.store = new Store(this.initialState());
    const scene = readScene(this);
    this.store.state = { ...this.store.state, ...scene.state };
    /** β that the address asks for, until its model arrives. */
    this.wantedBeta = scene.beta;
    if (former) this.succeed(former);
    this.map = new LatentMap(this);
    this.project(this.store.state.projection);
    buildLayout(this);
    attachGestures(this, this.map);
    this.react();
    if (former) estimateBound(this);
    else this.firstInput(scene);
    this.store.start();
    /** @type {LatentMap | undefined} */
    const before = former?.map;
    const view = before ? !before.fitted && before.view.copy() : scene.view;
    if (view) {
      this.map.fitted = false;
      Object.assign(this.map.view, view);
    }
    watchScene(this);
    this.map.viewChanged();
  }

  /** Take over the scene of the page before: its state, and the model of its sweep. */
  succeed(former) {
    const { members, member, notice, ...kept } = former.store.state;
    // The pad opens empty; what was drawn stays as the picture.
    Object.assign(this.store.state, kept, { drawing: false });
    if (members.length > 1 && member >= 0) this.wantedBeta = members[member].figures.beta;
    this.tsne = former.tsne;
  }

  readCodes() {
    const { codes, latent } = this.header;
    this.size = latent.size;
    this.codes = codes?.mean ?? new Float32Array(0);
    this.labels = codes?.labels ?? null;
    this.count = this.codes.length / this.size;
    const ids = codes?.ids ?? 0;
    this.idOf = typeof ids === "number" ? (i) => ids + i : (i) => ids[i];
    this.kl = codes?.kl ?? null;
    /** Latents, the most active first: by KL, or by spread where a model has no KL. */
    const activity = this.kl ?? codes?.spread ?? new Array(this.size).fill(0);
    this.order = Array.from({ length: this.size }, (_, i) => i).sort((a, b) => activity[b] - activity[a]);
    const { pictures } = this.header;
    this.pictureOf = new Map();
    if (pictures) pictures.ids.forEach((id, i) => this.pictureOf.set(id, i));
  }

  initialState() {
    const pair = this.order.slice(0, 2).sort((a, b) => a - b);
    return {
      z: new Float32Array(this.size),
      hover: null,
      input: null,
      inputView: "scored",
      drawing: false,
      outputMode: "mean",
      layers: {
        points: true, numerals: true, prior: true, posterior: true,
        manifold: true, density: false, path: true, glyphs: false,
      },
      hidden: new Set(),
      pins: [],
      path: null,
      pathKind: "lerp",
      projection: { kind: "pair", dims: pair },
      tool: "hover",
      selection: null,
      estimate: null,
      seed: 1,
      tab: this.model.hasPosterior && this.model.isLocal ? "likelihood" : "path",
      presentation: false,
      notice: "",
      models: null,
      members: [],
      member: -1,
    };
  }

  react() {
    const { store, map } = this;
    store.on(["layers", "hidden", "selection"], () => map.points.invalidate());
    store.on(["layers", "hidden", "selection", "presentation"], () => map.repaint());
    store.on(["layers"], () => map.refreshTiles());
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

  /** Models of the same sweep, for the β slider. */
  addMember(member) {
    addMember(this, member);
  }

  showMember(index) {
    showMember(this, index);
  }

  project(choice) {
    const { codes, size } = this;
    if (choice.kind === "pair") this.map.setProjection(pairProjection(codes, size, choice.dims));
    else if (choice.kind === "pca") this.map.setProjection(pcaProjection(codes, size));
    else this.map.setProjection(choice.computed);
  }

  // Input

  /** The picture that the page opens with: the scene's, else the first that is at hand. */
  firstInput({ picture, state }) {
    const stored = this.header.pictures;
    if (!stored) return;
    const known = picture !== undefined && this.pictureOf.has(picture);
    this.choosePicture(known ? this.pictureOf.get(picture) : 0, state.z === undefined);
  }

  /** Choose the i-th stored picture; `follow` moves z to its posterior mean. */
  choosePicture(index, follow = true) {
    const { pixels, labels, ids, source } = this.header.pictures;
    const grey = storedPicture(pixels, index, this.model.pixelCount);
    const label = labels ? labels[index] : null;
    this.setInput({ kind: "stored", index, id: ids[index], label, source, grey }, follow);
  }

  nextPicture() {
    const stored = this.header.pictures;
    if (!stored) return;
    const { input } = this.store.state;
    const index = input?.kind === "stored" ? input.index + 1 : 0;
    this.choosePicture(index % stored.ids.length);
    this.commit();
  }

  /**
   * Encode a picture: it lands on the map with its posterior, and its reconstruction appears.
   * @param {any} input {kind, grey, …}
   */
  setInput(input, follow = true) {
    const { seed } = this.store.state;
    const random = createRandom(Math.imul(seed, 7919) + (input.id ?? 0));
    const x = this.model.binarise ? binarise(input.grey, random) : input.grey;
    this.model.encodeSoon(x, ({ mean, logvar }) => {
      const patch = { input: { ...input, x, mean, logvar }, estimate: null };
      this.store.set(follow ? { ...patch, z: mean.slice(), hover: null } : patch);
    });
  }

  // The point that is decoded

  setZ(z) {
    this.store.set({ z, hover: null });
  }

  /** Tell Python where z came to rest. */
  commit() {
    this.host.setState("z", Array.from(this.store.state.z));
  }

  /** Change one latent while a slider moves. */
  setLatent(index, value) {
    const z = this.store.state.z.slice();
    z[index] = value;
    this.setZ(z);
  }

  nudge(dx, dy) {
    const { dims, isSpace } = this.map.projection;
    if (!isSpace) return;
    const z = this.store.state.z.slice();
    z[dims[0]] += dx;
    if (dims.length > 1) z[dims[1]] += dy;
    this.setZ(z);
    clearTimeout(this.nudging);
    this.nudging = window.setTimeout(() => this.commit(), 300);
  }

  /** z under the pointer, and the code that is near enough to be meant. */
  zAt(x, y, reach) {
    const { projection, index } = this.map;
    const shown = (i) => !this.labels || !this.store.state.hidden.has(this.labels[i]);
    const near = index && this.store.state.layers.points ? index.nearest(x, y, reach, shown) : -1;
    if (!projection.isSpace) {
      const code = index ? index.nearest(x, y, Infinity, shown) : -1;
      return { z: code < 0 ? this.store.state.z : this.codeAt(code), near, index: code };
    }
    const z = this.store.state.z.slice();
    z[projection.dims[0]] = x;
    if (projection.dims.length > 1) z[projection.dims[1]] = y;
    return { z, near, index: undefined };
  }

  hoverAt(x, y, reach, screen) {
    this.store.set({ hover: { ...this.zAt(x, y, reach), screen } });
  }

  hoverEnd() {
    if (this.store.state.hover) this.store.set({ hover: null });
  }

  /** A click: hold z there; on a point whose picture is at hand, choose that picture. */
  pickAt(x, y, reach, pin) {
    const { z, near } = this.zAt(x, y, reach);
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

  codeAt(index) {
    return this.codes.slice(index * this.size, (index + 1) * this.size);
  }

  /** The code nearest to z among at most 20,000; −1 where there are none. */
  nearestCode(z) {
    const { codes, size, count } = this;
    if (size <= 2 && this.map.projection.isSpace && this.map.index && size === this.map.projection.dims.length) {
      const [a, b] = this.map.projection.dims;
      if (size === 2) return this.map.index.nearest(z[a], z[b]);
    }
    const step = Math.max(1, Math.floor(count / 20000));
    let best = -1;
    let bestSquare = Infinity;
    for (let n = 0; n < count; n += step) {
      let square = 0;
      for (let i = 0, at = n * size; i < size && square < bestSquare; i++) square += (codes[at + i] - z[i]) ** 2;
      if (square < bestSquare) [best, bestSquare] = [n, square];
    }
    return best;
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
    const free = [...PIN_NAMES].find((name) => !pins.some((pin) => pin.name === name));
    if (!free) return this.notify("pins_full");
    const next = [...pins, { name: free, z: z.slice() }].sort((a, b) => a.name.localeCompare(b.name));
    this.store.set({ pins: next });
  }

  removePin(name) {
    this.store.set({ pins: this.store.state.pins.filter((pin) => pin.name !== name) });
  }

  /** In presentation mode the arrow keys walk from pin to pin; false where there are none. */
  stepScene([dx, dy]) {
    const { pins, z } = this.store.state;
    if (!pins.length) return false;
    const here = pins.findIndex((pin) => pin.z.every((value, i) => value === z[i]));
    const next = (here + (dx + dy > 0 ? 1 : -1) + (here < 0 && dx + dy < 0 ? 1 : 0) + pins.length) % pins.length;
    this.setZ(pins[next].z.slice());
    this.commit();
    return true;
  }

  /** @param {number[][]} outline corners in the map's plane */
  selectOutline(outline) {
    const { xs, ys } = this.map.projection;
    const { hidden } = this.store.state;
    const mask = new Uint8Array(this.count);
    const indices = outline.length < 3 ? [] : insideOutline(xs, ys, outline, (i) => !this.labels || !hidden.has(this.labels[i]));
    for (const i of indices) mask[i] = 1;
    if (!indices.length) return this.clearSelection();
    this.store.set({ selection: { mask, ...summarise(this, indices) }, tab: "selection", tool: "hover" });
  }

  clearSelection() {
    this.store.set({ selection: null, tool: "hover" });
  }

  /** Escape: close what is open, then leave presentation mode, then clear the selection. */
  escape() {
    const { presentation, selection, tool } = this.store.state;
    if (this.closePopups?.()) return;
    if (this.map.outline.length || tool !== "hover") {
      this.map.outline = [];
      this.store.set({ tool: "hover" });
    } else if (selection) this.clearSelection();
    else if (presentation) this.store.set({ presentation: false });
    else this.hoverEnd();
    this.map.repaint();
  }

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

  /** A message from Python: the models to choose from, a decoded picture, a finished file. */
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
    this.store.stop();
    this.disposeLayout?.();
  }
}
