import { chooseAxis } from "./bars_axis.js";
import { make, print } from "./dom.js";

/**
 * Two aligned bars: reconstruction + KL = −ELBO above, −log p(x) + gap below. Their axis is broken
 * inside the long parts, so that KL and gap keep their scale; it stands still while a hand moves,
 * so that what moves is the bars, and settles once the hand rests.
 */

const STUB = 44;
const TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const REST_MS = 250;
const SETTLE_MS = 300;

/**
 * @typedef {{reconstruction: number, kl: number, logPx: number, pieces: {name: string, nats: number}[]}} Balance
 * @typedef {import("./bars_axis.js").Axis} Axis
 */

export class Bars {
  /** @param {import("./text.js").Text} text */
  constructor(text) {
    this.text = text;
    this.upperText = make("p", { class: "bars-line", "data-role": "upper" });
    this.lowerText = make("p", { class: "bars-line", "data-role": "lower" });
    this.rec = make("span", { class: "bar rec" });
    this.kl = make("span", { class: "bar kl" });
    this.marginal = make("span", { class: "bar marginal" });
    this.gaps = make("span", { class: "gaps" });
    this.breaks = make("span", { class: "break", title: text("axis_broken") });
    this.scale = make("div", { class: "axis", "aria-hidden": "true" });
    this.upper = make("div", { class: "bar-row" }, this.rec, this.kl);
    this.lower = make("div", { class: "bar-row" }, this.marginal, this.gaps);
    this.plot = make("div", { class: "bars-plot", role: "img" }, this.upper, this.lower, this.breaks, this.scale);
    this.element = make("div", { class: "bars" }, this.upperText, this.plot, this.lowerText);
    /** @type {Axis | null} where the bars are drawn now, on the way while they settle */
    this.axis = null;
    /** @type {Balance | null} */
    this.shown = null;
    this.resting = 0;
    this.settling = 0;
    this.resizer = new ResizeObserver(() => this.paint());
    this.resizer.observe(this.plot);
  }

  /**
   * @param {Balance} balance
   * @param {boolean} [moving] a hand is moving: the axis may grow, but does not shrink
   */
  show(balance, moving = false) {
    const first = !this.axis;
    this.shown = balance;
    clearTimeout(this.resting);
    cancelAnimationFrame(this.settling);
    const held = !first && (moving || isPressed());
    if (held) this.resting = window.setTimeout(() => this.shown && this.show(this.shown), REST_MS);
    const axis = chooseAxis(this.axis, balance, held);
    if (first || held || isStill()) this.axis = axis;
    else this.settle(/** @type {Axis} */ (this.axis), axis);
    this.paint();
  }

  /**
   * Go to another axis; what the old one has no room for is not cut off on the way.
   * @param {Axis} from
   * @param {Axis} to
   */
  settle(from, to) {
    if (from.cut === to.cut && from.span === to.span) return;
    const start = performance.now();
    /** @param {number} now */
    const step = (now) => {
      const share = Math.min(1, Math.max(0, (now - start) / SETTLE_MS));
      const eased = share * share * (3 - 2 * share);
      this.axis = share === 1 ? to : {
        cut: from.cut + eased * (to.cut - from.cut),
        span: from.span + eased * (to.span - from.span),
        broken: from.broken + eased * (to.broken - from.broken),
      };
      this.paint();
      if (share < 1) this.settling = requestAnimationFrame(step);
    };
    this.settling = requestAnimationFrame(step);
  }

  paint() {
    if (!this.shown || !this.axis) return;
    const { reconstruction, kl, logPx, pieces } = this.shown;
    const { cut, span, broken } = this.axis;
    const marginal = -logPx;
    const width = Math.max(60, this.plot.clientWidth || 600);
    const stub = STUB * broken;
    const scale = (width - stub) / span;
    /** @param {number} nats */
    const at = (nats) => stub + (nats - cut) * scale;
    place(this.rec, 0, at(reconstruction));
    place(this.kl, at(reconstruction), at(reconstruction + kl));
    place(this.marginal, 0, at(marginal));
    let from = marginal;
    const shades = pieces.map(({ name, nats }) => {
      const shade = make("span", { class: `bar gap ${name}` });
      place(shade, at(from), at(from + Math.max(0, nats)));
      from += Math.max(0, nats);
      return shade;
    });
    this.gaps.replaceChildren(...shades);
    this.breaks.hidden = broken < 1;
    this.paintAxis(at, width, cut, stub);
  }

  /**
   * The sentences above and below, as nodes with colours.
   * @param {(Node | string)[]} upper
   * @param {(Node | string)[]} lower
   */
  say(upper, lower) {
    this.upperText.replaceChildren(...upper);
    this.lowerText.replaceChildren(...lower);
    this.plot.setAttribute("aria-label", `${this.upperText.textContent} ${this.lowerText.textContent}`);
  }

  /**
   * @param {(nats: number) => number} at from nats to pixels
   * @param {number} width
   * @param {number} cut nats where the scale begins
   * @param {number} stub pixels before that
   */
  paintAxis(at, width, cut, stub) {
    const step = TICKS.find((size) => at(cut + size) - at(cut) >= 54) ?? 20000;
    const marks = [];
    for (let n = Math.ceil(cut / step); at(n * step) < width - 32; n++) {
      if (at(n * step) < stub + 4) continue;
      const mark = make("span", {}, print(n * step, 0));
      mark.style.left = `${at(n * step)}px`;
      marks.push(mark);
    }
    const unit = make("b", {}, this.text("nats"));
    this.scale.replaceChildren(...marks, unit);
  }

  dispose() {
    this.resizer.disconnect();
    clearTimeout(this.resting);
    cancelAnimationFrame(this.settling);
  }
}

/**
 * A coloured word or number for `Bars.say`.
 * @param {string} role
 * @param {string} content
 */
export const word = (role, content) => make("span", { class: role }, content);

/** Whether a pointer holds something on the page: a slider, or q itself. */
const isPressed = () => document.documentElement.matches(":active");

/** Whether the visitor asks for no motion. */
const isStill = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * @param {HTMLElement} element
 * @param {number} from
 * @param {number} to
 */
function place(element, from, to) {
  element.style.left = `${Math.max(0, from)}px`;
  element.style.width = `${Math.max(0, to - Math.max(0, from))}px`;
}
