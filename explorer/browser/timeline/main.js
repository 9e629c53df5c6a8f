/**
 * KL of each latent over a training, or over the members of a sweep, with a playhead: the sentence,
 * the bars beside it and the codes below follow the hand, in the browser alone. Where it is let go
 * is reported as state `rest`; where frames of the codes are wanting, state `lacks` names the film.
 */

import { clearCanvas } from "../shared/clear.js";
import { Codes } from "./moment.js";

/**
 * @typedef {{at: number, name: string, kl: number[], beta: number | null}} Row a log point or member
 * @typedef {{row: number, kind: string, at: number, after: number | null}} Mark `after` of an interval
 *
 * @typedef {object} Data
 * @property {string} subject another one moves the playhead to `start`
 * @property {number} led how often Back led here: each time the playhead goes to `start`
 * @property {Row[]} rows by `at`
 * @property {string[]} names of the latents
 * @property {Mark[]} marks
 * @property {number | null} start the value of `at`; null for the last one
 * @property {number} dead nats below which a latent is asleep
 * @property {import("./moment.js").Film | null} film the codes of a training, where they are shown
 * @property {Record<string, string>} words
 */

const ROW = 24;
const TALLEST = 260;
const AXIS = 20;
const NAMES = 40;
const BARS = 112;
const GAP = 14;

/** @type {WeakMap<object, Timeline>} */
const mounted = new WeakMap();

/** @param {import("../shared/component.js").Component<[Data]>} component */
export default function mount({ data: [data], parentElement, setStateValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".timeline"));
  const timeline = mounted.get(root) ?? new Timeline(root);
  mounted.set(root, timeline);
  timeline.report = (place) => setStateValue("rest", place);
  timeline.receive(data);
  const lacks = timeline.codes.lacks;
  if (lacks) setStateValue("lacks", lacks);
  return undefined;
}

class Timeline {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Data | null} */
    this.data = null;
    /** The row on which the playhead stands. */
    this.place = 0;
    /** Whether the playhead stays with the newest row as more of them come. */
    this.follows = true;
    /** @type {(place: number | null) => void} */
    this.report = () => {};
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.slider = document.createElement("input");
    Object.assign(this.slider, { type: "range", min: "0", max: "1", step: "any" });
    this.told = document.createElement("output");
    this.codes = new Codes();
    root.replaceChildren(this.canvas, this.slider, this.told, this.codes.root);
    this.slider.addEventListener("input", () => this.move(this.placeAt(Number(this.slider.value))));
    this.slider.addEventListener("change", () => this.rest());
    this.slider.addEventListener("keydown", (event) => this.step(event));
    this.canvas.addEventListener("pointerdown", (event) => this.grab(event));
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) this.move(this.placeAt(this.shareAt(event.offsetX)));
    });
    this.canvas.addEventListener("pointerup", () => this.rest());
    new ResizeObserver(() => this.draw()).observe(root);
    Object.assign(root, { timeline: this });
  }

  /** @param {Data} data */
  receive(data) {
    const isLed = this.data?.subject === data.subject && this.data.led !== data.led;
    const fresh = isLed || this.data?.subject !== data.subject;
    this.data = data;
    this.codes.receive(data.film);
    const last = Math.max(0, data.rows.length - 1);
    this.slider.disabled = last === 0;
    this.slider.setAttribute("aria-label", data.words.label);
    this.canvas.setAttribute("aria-label", data.words.told);
    if (fresh) this.follows = data.start === null;
    const started = data.rows.findIndex((row) => row.at >= (data.start ?? Infinity));
    this.place = this.follows ? last : fresh ? Math.max(0, started) : Math.min(this.place, last);
    this.draw();
    if (isLed) this.rest();
  }

  /** @param {PointerEvent} event */
  grab(event) {
    // On a touch screen the picture must not keep the page from scrolling.
    if (event.pointerType === "touch") return;
    this.canvas.setPointerCapture(event.pointerId);
    this.move(this.placeAt(this.shareAt(event.offsetX)));
  }

  /** @param {number} place */
  move(place) {
    const last = (this.data?.rows.length ?? 1) - 1;
    this.place = Math.min(Math.max(place, 0), last);
    this.follows = this.place === last;
    this.draw();
  }

  /** From row to row with the arrow keys. @param {KeyboardEvent} event */
  step(event) {
    /** @type {Record<string, number>} */
    const places = {
      ArrowLeft: this.place - 1, ArrowDown: this.place - 1,
      ArrowRight: this.place + 1, ArrowUp: this.place + 1,
      Home: 0, End: Infinity,
    };
    const place = places[event.key];
    if (place === undefined) return;
    event.preventDefault();
    this.move(place);
    this.rest();
  }

  rest() {
    const row = this.data?.rows[this.place];
    this.report(this.follows || !row ? null : row.at);
  }

  get width() {
    return this.canvas.clientWidth - NAMES - BARS - GAP;
  }

  /** @param {number} x on the canvas */
  shareAt(x) {
    return (x - NAMES) / this.width;
  }

  /** The row nearest to a share of the way. @param {number} share */
  placeAt(share) {
    const rows = this.data?.rows ?? [];
    const distances = rows.map((row) => Math.abs(this.shareOf(row.at) - share));
    return distances.indexOf(Math.min(...distances));
  }

  /** How far along a value of `at` lies: steps and β are drawn geometrically. @param {number} at */
  shareOf(at) {
    const rows = this.data?.rows ?? [];
    const least = rows.find((row) => row.at > 0)?.at ?? 1;
    /** Zero has no logarithm: it stands half of the first value before it. @param {number} value */
    const logarithm = (value) => Math.log(Math.max(value, least / 2));
    const [low, high] = [logarithm(rows[0].at), logarithm(rows[rows.length - 1].at)];
    return high > low ? (logarithm(at) - low) / (high - low) : 0.5;
  }

  /** @param {number} at */
  across(at) {
    return NAMES + this.width * this.shareOf(at);
  }

  draw() {
    const { data, canvas } = this;
    if (!data || !data.rows.length || !this.root.clientWidth) return;
    const height = Math.min(TALLEST, ROW * data.names.length);
    canvas.style.height = `${height + AXIS}px`;
    const context = clearCanvas(canvas);
    const style = getComputedStyle(this.root);
    /** @param {string} role */
    const colour = (role) => style.getPropertyValue(`--role-${role}`);
    const high = height / data.names.length;
    const row = data.rows[this.place];
    this.slider.value = String(this.shareOf(row.at));
    context.font = `11px ${style.fontFamily}`;
    context.textBaseline = "middle";
    this.drawCells(context, high, colour);
    this.drawMarks(context, high, colour);
    this.drawAxis(context, height, colour);
    this.drawBars(context, high, row, colour);
    context.fillStyle = colour("text");
    context.fillRect(this.across(row.at) - 1, 0, 2, height);
    this.tell(row);
    // The newest frame may be later than the last log point.
    this.codes.draw(this.follows ? Infinity : row.at);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} high @param {(role: string) => string} colour */
  drawCells(context, high, colour) {
    const { rows, names } = /** @type {Data} */ (this.data);
    const most = Math.max(1e-9, ...rows.flatMap((row) => row.kl));
    const places = rows.map((row) => this.across(row.at));
    const [first, end] = [NAMES, this.canvas.clientWidth - BARS - GAP];
    context.fillStyle = colour("kl");
    rows.forEach((row, at) => {
      const left = at ? (places[at - 1] + places[at]) / 2 : first;
      const right = at < rows.length - 1 ? (places[at] + places[at + 1]) / 2 : end;
      row.kl.forEach((kl, dimension) => {
        // What is nearly dead still differs from what is dead.
        context.globalAlpha = 0.04 + 0.96 * Math.sqrt(Math.max(0, kl) / most);
        context.fillRect(left, dimension * high, right - left, Math.max(1, high - 1));
      });
    });
    context.globalAlpha = 1;
    context.textAlign = "right";
    context.fillStyle = colour("text");
    const every = Math.ceil(14 / high);
    names.forEach((name, dimension) => {
      if (dimension % every === 0) context.fillText(name, NAMES - 6, Math.max(7, (dimension + 0.5) * high));
    });
  }

  /** @param {CanvasRenderingContext2D} context @param {number} high @param {(role: string) => string} colour */
  drawMarks(context, high, colour) {
    const { marks } = /** @type {Data} */ (this.data);
    const size = Math.min(5, high / 3);
    context.textAlign = "center";
    for (const { row, kind, at, after } of marks) {
      const y = (row + 0.5) * high;
      const end = this.across(at);
      context.strokeStyle = context.fillStyle = colour("text");
      context.lineWidth = 2;
      context.beginPath();
      let x = end;
      if (after !== null) {
        // An interval: it died or woke somewhere between.
        const start = this.across(after);
        x = (start + end) / 2;
        context.moveTo(start, y - size);
        context.lineTo(start, y + size);
        context.moveTo(end, y - size);
        context.lineTo(end, y + size);
        context.moveTo(start, y);
        context.lineTo(end, y);
      }
      if (kind === "died") {
        context.moveTo(x - size, y - size);
        context.lineTo(x + size, y + size);
        context.moveTo(x + size, y - size);
        context.lineTo(x - size, y + size);
      }
      context.stroke();
      if (kind === "woke") context.fillText("★", x, y);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} height @param {(role: string) => string} colour */
  drawAxis(context, height, colour) {
    const { rows } = /** @type {Data} */ (this.data);
    context.fillStyle = colour("caption");
    context.textAlign = "center";
    let taken = -Infinity;
    for (const row of pickTicks(rows)) {
      const x = this.across(row.at);
      const half = context.measureText(row.name).width / 2;
      if (x - half < taken + 8) continue;
      context.fillRect(x, height, 1, 4);
      context.fillText(row.name, x, height + 13);
      taken = x + half;
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} high @param {Row} row @param {(role: string) => string} colour */
  drawBars(context, high, row, colour) {
    const { rows, dead } = /** @type {Data} */ (this.data);
    const most = Math.max(1e-9, ...rows.flatMap((each) => each.kl));
    const start = this.canvas.clientWidth - BARS;
    const room = BARS - 38;
    context.textAlign = "left";
    row.kl.forEach((kl, dimension) => {
      const width = Math.max(1, (room * Math.max(0, kl)) / most);
      context.fillStyle = colour("kl");
      context.fillRect(start, (dimension + 0.22) * high, width, Math.max(1, 0.56 * high));
      if (high < 12) return;
      context.fillStyle = colour(kl < dead ? "caption" : "text");
      context.fillText(Math.max(0, kl).toFixed(most < 1 ? 3 : 2), start + width + 5, (dimension + 0.5) * high);
    });
  }

  /** @param {Row} row */
  tell(row) {
    const { words, dead } = /** @type {Data} */ (this.data);
    const awake = row.kl.filter((kl) => kl > dead).length;
    const kl = row.kl.reduce((sum, each) => sum + Math.max(0, each), 0).toFixed(2);
    const beta = row.beta === null ? "" : String(Number(row.beta.toPrecision(3)));
    const told = fill(row.beta === null ? words.moment : words.moment_beta, {
      step: row.name, name: row.name, kl, awake, count: row.kl.length, beta,
    });
    this.told.textContent = told;
    this.slider.setAttribute("aria-valuetext", told);
  }
}

/** Rows at the powers of ten and both ends, for long logs; all of them, for few members. @param {Row[]} rows */
function pickTicks(rows) {
  if (rows.length <= 16) return rows;
  const chosen = [];
  const last = rows[rows.length - 1].at;
  for (let power = 1; power <= last; power *= 10) {
    chosen.push({ ...rows[0], at: power, name: power.toLocaleString("en") });
  }
  return chosen.filter((row) => row.at >= rows[0].at);
}

/** @param {string} words @param {Record<string, string | number>} values */
function fill(words, values) {
  return words.replace(/\{(\w+)(?::[^}]*)?\}/g, (_, name) => String(values[name]));
}
