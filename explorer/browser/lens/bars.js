import { make, print } from "../shared/dom.js";

/**
 * Two aligned bars: reconstruction + KL = −ELBO above, −log p(x) + gap below. Their axis is broken
 * inside the long parts, so that KL and gap keep their scale.
 */

const STUB = 44;
const SPANS = [5, 7, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280, 2560, 5120, 10240, 40960];
const TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const FULL = 0.96;

/**
 * @typedef {{reconstruction: number, kl: number, logPx: number, pieces: {name: string, nats: number}[]}} Balance
 */

export class Bars {
  /** @param {import("../shared/text.js").Text} text */
  constructor(text) {
    this.text = text;
    this.upperText = make("p", { class: "bars-line", "data-role": "upper" });
    this.lowerText = make("p", { class: "bars-line", "data-role": "lower" });
    this.rec = make("span", { class: "bar rec" });
    this.kl = make("span", { class: "bar kl" });
    this.marginal = make("span", { class: "bar marginal" });
    this.gaps = make("span", { class: "gaps" });
    this.breaks = make("span", { class: "break", title: text("axis_broken") });
    this.axis = make("div", { class: "axis", "aria-hidden": "true" });
    this.upper = make("div", { class: "bar-row" }, this.rec, this.kl);
    this.lower = make("div", { class: "bar-row" }, this.marginal, this.gaps);
    this.plot = make("div", { class: "bars-plot", role: "img" }, this.upper, this.lower, this.breaks, this.axis);
    this.element = make("div", { class: "bars" }, this.upperText, this.plot, this.lowerText);
    this.span = 0;
    this.cut = NaN;
    /** @type {Balance | null} */
    this.shown = null;
    this.resizer = new ResizeObserver(() => this.shown && this.show(this.shown));
    this.resizer.observe(this.plot);
  }

  /**
   * @param {Balance} balance
   * @param {boolean} [moving] a hand is moving: the axis may grow, but does not shrink
   */
  show(balance, moving = false) {
    this.shown = balance;
    const { reconstruction, kl, logPx, pieces } = balance;
    const total = reconstruction + kl;
    const marginal = -logPx;
    const least = Math.min(reconstruction, marginal) - Math.max(2, 0.3 * kl);
    if (!(this.cut <= least && (moving || least - this.cut < 0.35 * this.span))) {
      this.cut = Math.floor(least / 5) * 5;
    }
    const needed = (total - this.cut) / FULL;
    if (needed > this.span || (!moving && needed < 0.6 * this.span)) {
      this.span = SPANS.find((span) => span >= needed) ?? needed;
    }
    const width = Math.max(60, this.plot.clientWidth || 600);
    const scale = (width - STUB) / this.span;
    /** @param {number} nats */
    const at = (nats) => STUB + (nats - this.cut) * scale;
    place(this.rec, 0, at(reconstruction));
    place(this.kl, at(reconstruction), at(total));
    place(this.marginal, 0, at(marginal));
    let from = marginal;
    const shades = pieces.map(({ name, nats }) => {
      const shade = make("span", { class: `bar gap ${name}` });
      place(shade, at(from), at(from + Math.max(0, nats)));
      from += Math.max(0, nats);
      return shade;
    });
    this.gaps.replaceChildren(...shades);
    this.paintAxis(at, width);
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
   */
  paintAxis(at, width) {
    const step = TICKS.find((size) => at(this.cut + size) - at(this.cut) >= 54) ?? 20000;
    const marks = [];
    for (let n = Math.ceil(this.cut / step); at(n * step) < width - 12; n++) {
      if (at(n * step) < STUB + 4) continue;
      const mark = make("span", {}, print(n * step, 0));
      mark.style.left = `${at(n * step)}px`;
      marks.push(mark);
    }
    const unit = make("b", {}, this.text("nats"));
    this.axis.replaceChildren(...marks, unit);
  }

  dispose() {
    this.resizer.disconnect();
  }
}

/**
 * A coloured word or number for `Bars.say`.
 * @param {string} role
 * @param {string} content
 */
export const word = (role, content) => make("span", { class: role }, content);

/**
 * @param {HTMLElement} element
 * @param {number} from
 * @param {number} to
 */
function place(element, from, to) {
  element.style.left = `${Math.max(0, from)}px`;
  element.style.width = `${Math.max(0, to - Math.max(0, from))}px`;
}
