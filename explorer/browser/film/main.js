import { latentName, make } from "../shared/dom.js";
import { createText } from "../shared/text.js";
import { Curves } from "./curves.js";
import { blendCodes, pointAt, REACH, readFrame } from "./frames.js";
import { showPictures } from "./pictures.js";
import { clearCanvas } from "../shared/clear.js";
import { drawScatter } from "./scatter.js";
import { Terms } from "./terms.js";

/**
 * A training as a stage: the map of held-out images moves from frame to frame, beside it the terms,
 * their curves and the pictures, below it the film. Between two frames points move along straight
 * lines: a transition, no model; figures are those of log points.
 */

/**
 * @typedef {import("./frames.js").Frame} Frame
 * @typedef {import("./frames.js").Point} Point
 *
 * @typedef {object} Data
 * @property {string} run
 * @property {number[]} axes
 * @property {import("./frames.js").Sent[]} frames all of them, or what is new
 * @property {number[] | null} labels
 * @property {string[]} names
 * @property {import("./frames.js").Pictures | null} inputs
 * @property {Point[]} log
 * @property {boolean} rings
 * @property {string} beta as it is told of the whole run, such as "1 → 4"
 * @property {string} [waiting] of a run without a frame: for what it waits
 * @property {Record<string, string>} words
 */

const MOVE = 350;
const FILM = 6000;

/** @type {WeakMap<object, Stage>} */
const mounted = new WeakMap();

/** @param {import("../shared/component.js").Component<[Data]>} component */
export default function mount({ data: [data], parentElement }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".stage"));
  const stage = mounted.get(root) ?? new Stage(root);
  mounted.set(root, stage);
  stage.receive(data);
  return undefined;
}

class Stage {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Data | null} */
    this.data = null;
    /** @type {Map<number, Frame>} */
    this.kept = new Map();
    /** @type {Frame[]} */
    this.frames = [];
    /** Where the film stands, between frames too. */
    this.at = 0;
    this.follows = true;
    this.playing = false;
    /** Counts movements: a pause and Play within one frame leave no second film running. */
    this.movement = 0;
    this.drawn = 0;
    /** @type {Frame | undefined} What the side tells of, and whether it is the newest. */
    this.shown = undefined;
    this.isNewest = false;
    this.map = make("canvas", { role: "img" });
    this.told = make("output");
    this.terms = new Terms();
    this.curves = new Curves();
    this.inputs = make("canvas", { role: "img" });
    this.made = make("canvas", { role: "img" });
    this.given = make("span", {}, "x");
    this.strip = make("div", { class: "strip" }, this.given, this.inputs, make("span", {}, "x̂"), this.made);
    this.button = make("button", { type: "button" });
    this.slider = make("input", { type: "range", min: "0", step: "any" });
    const { title, sum, bar, heading, shares } = this.terms;
    root.replaceChildren(
      make("div", { class: "map" }, this.map, this.told),
      make("div", { class: "side" }, title, sum, bar, this.curves.canvas, heading, shares, this.strip),
      make("div", { class: "film" }, this.button, this.slider),
    );
    this.slider.addEventListener("input", () => {
      this.pause();
      this.at = Number(this.slider.value);
      this.follows = this.at >= this.last;
      this.draw();
    });
    this.slider.addEventListener("keydown", (event) => this.leap(event));
    this.button.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    new ResizeObserver(() => this.draw()).observe(root);
    Object.assign(root, { stage: this });
  }

  get last() {
    return Math.max(0, this.frames.length - 1);
  }

  /** @param {Data} data */
  receive(data) {
    const former = this.data;
    if (former && (former.run !== data.run || String(former.axes) !== String(data.axes))) {
      this.kept.clear();
      if (former.run !== data.run) this.follows = true;
    }
    // A resumed training takes back the frames after its checkpoint.
    const [first, newest] = [data.frames[0]?.step ?? 0, data.frames.at(-1)?.step ?? 0];
    const sent = new Set(data.frames.map((frame) => frame.step));
    for (const step of this.kept.keys()) {
      if (step > newest || (step >= first && !sent.has(step))) this.kept.delete(step);
    }
    for (const sent of data.frames) {
      if (!this.kept.has(sent.step)) this.kept.set(sent.step, readFrame(sent));
    }
    this.data = data;
    this.frames = [...this.kept.values()].sort((a, b) => a.step - b.step);
    this.slider.max = String(this.last);
    const { words } = data;
    this.terms.receive(data.log, words);
    this.curves.canvas.setAttribute("aria-label", words.curves);
    this.slider.setAttribute("aria-label", words.film);
    this.name();
    if (this.at > this.last) this.at = this.last;
    if (!former || former.run !== data.run) this.at = this.last;
    else if (this.follows && !this.playing && this.at < this.last) this.glide();
    this.draw();
  }

  name() {
    this.button.textContent = this.data?.words[this.playing ? "pause" : "play"] ?? "";
    this.button.disabled = this.frames.length < 2;
  }

  /** @param {KeyboardEvent} event */
  leap(event) {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -Infinity, End: Infinity }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    this.pause();
    const whole = way > 0 ? Math.floor(this.at) : Math.ceil(this.at);
    this.at = Math.min(this.last, Math.max(0, whole + way));
    this.follows = this.at >= this.last;
    this.draw();
  }

  /** Move to the newest frame. */
  glide() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.at = this.last;
      return;
    }
    const from = Math.max(this.at, this.last - 2);
    const [goal, start] = [this.last, performance.now()];
    const move = () => {
      if (!this.follows || this.playing || goal !== this.last) return;
      const part = Math.min(1, (performance.now() - start) / MOVE);
      this.at = from + (goal - from) * part;
      this.draw(true);
      if (part < 1) requestAnimationFrame(move);
    };
    requestAnimationFrame(move);
  }

  play() {
    this.playing = true;
    this.follows = false;
    if (this.at >= this.last) this.at = 0;
    this.name();
    const movement = ++this.movement;
    const pace = this.last / Math.max(FILM, 60 * this.last);
    let before = performance.now();
    const move = () => {
      if (movement !== this.movement) return;
      const now = performance.now();
      this.at = Math.min(this.last, this.at + pace * (now - before));
      before = now;
      this.draw(true);
      if (this.at < this.last) requestAnimationFrame(move);
      else {
        this.follows = true;
        this.pause();
      }
    };
    requestAnimationFrame(move);
  }

  pause() {
    this.playing = false;
    this.movement++;
    this.name();
  }

  /** @param {boolean} [moves] what stands beside the map is drawn anew with its frame alone */
  draw(moves = false) {
    const { data } = this;
    if (!data || !this.map.clientWidth) return;
    if (!this.frames.length) {
      this.drawOutline(data);
      return;
    }
    this.drawn++;
    this.slider.value = String(this.at);
    const frame = this.frames[Math.round(this.at)];
    const style = getComputedStyle(this.root);
    this.drawMap(data, style);
    // On its way to the newest frame it says of the whole run what it will say there.
    const isNewest = this.at >= this.last || (this.follows && !this.playing);
    if (!moves || frame !== this.shown || isNewest !== this.isNewest) {
      this.drawBeside(data, frame, isNewest, style);
    }
  }

  /**
   * Tell of a frame: its step, the terms, the curves and the pictures.
   * @param {Data} data @param {Frame} frame
   * @param {boolean} isNewest @param {CSSStyleDeclaration} style has the roles' colours
   */
  drawBeside(data, frame, isNewest, style) {
    [this.shown, this.isNewest] = [frame, isNewest];
    const point = pointAt(data.log, frame.step);
    const beta = isNewest && data.beta ? data.beta : point?.beta == null ? "" : String(+point.beta.toPrecision(3));
    const hasBeta = beta && point?.kl !== null;
    this.told.textContent = createText(data.words)(hasBeta ? "step" : "step_bare", { step: frame.step.toLocaleString("en"), beta });
    this.slider.setAttribute("aria-valuetext", this.told.textContent);
    this.map.setAttribute("aria-label", createText(data.words)("map", { count: frame.codes.length / 2, step: frame.step }));
    if (point) this.terms.draw(point);
    this.curves.draw(data.log, frame.step, style);
    this.strip.hidden = !frame.made;
    this.given.hidden = this.inputs.hidden = !data.inputs;
    if (frame.made) {
      showPictures(this.made, frame.made);
      if (data.inputs) showPictures(this.inputs, data.inputs);
      this.inputs.setAttribute("aria-label", data.words.inputs);
      this.made.setAttribute("aria-label", data.words.made);
    }
  }

  /** The stage before the first frame: what will stand there, empty. @param {Data} data */
  drawOutline(data) {
    const style = getComputedStyle(this.root);
    const { clientWidth: width, clientHeight: height } = this.map;
    const scene = { ...data, codes: new Float32Array(), reach: REACH, axes: [] };
    drawScatter(clearCanvas(this.map), width, height, scene, style);
    this.told.textContent = data.waiting ?? "";
    this.map.setAttribute("aria-label", this.told.textContent);
    this.terms.clear();
    this.curves.draw(data.log, 0, style);
    this.strip.hidden = true;
  }

  /** @param {Data} data @param {CSSStyleDeclaration} style has the roles' colours */
  drawMap(data, style) {
    const low = Math.floor(this.at);
    const [former, later] = [this.frames[low], this.frames[Math.min(this.last, low + 1)]];
    const part = this.at - low;
    drawScatter(
      clearCanvas(this.map), this.map.clientWidth, this.map.clientHeight,
      {
        ...data,
        codes: blendCodes(former.codes, later.codes, part),
        reach: former.reach + part * (later.reach - former.reach),
        axes: data.axes.map((axis) => (axis < 0 ? data.words.rows : latentName(axis))),
      },
      style,
    );
  }
}
