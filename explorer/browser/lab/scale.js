import { drawPoints } from "../film/scatter.js";
import { clearCanvas } from "../shared/clear.js";
import { make } from "../shared/dom.js";
import { codesAt } from "./line.js";

/**
 * Small maps as the scale of the slider: one above each place that the hand can rest on.
 * @typedef {import("./line.js").Member} Member
 */

const MOST = 16;
const DOTS = 130;

export class Scale {
  /** @param {(place: number) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.root = make("div", { class: "scale" });
    /** @type {{button: HTMLButtonElement, canvas: HTMLCanvasElement, mark: HTMLElement}[]} */
    this.places = [];
    this.drawn = "";
  }

  /** @param {number} count */
  fit(count) {
    if (this.places.length === count) return;
    this.places = Array.from({ length: count }, (_, place) => {
      const canvas = make("canvas");
      const mark = make("span");
      const button = make("button", { type: "button", onclick: () => this.choose(place) }, canvas, mark);
      return { button, canvas, mark };
    });
    this.root.replaceChildren(...this.places.map(({ button }) => button));
    this.root.parentElement?.style.setProperty("--places", String(count));
    this.drawn = "";
  }

  /**
   * @param {Member[]} line
   * @param {number} axis along which they differ
   * @param {number} step coarse: each new one has all small maps drawn anew
   * @param {number} chosen
   * @param {{reach: number, labels: number[] | null, stamp: string}} scene another stamp: drawn anew
   */
  draw(line, axis, step, chosen, { reach, labels, stamp }) {
    this.fit(line.length);
    const every = Math.ceil(line.length / MOST);
    this.places.forEach(({ button, mark }, place) => {
      button.setAttribute("aria-pressed", String(place === chosen));
      mark.textContent = place % every ? "" : line[place].marks[axis];
      button.setAttribute("aria-label", line[place].names[axis]);
    });
    const side = this.places[0]?.canvas.clientWidth ?? 0;
    const drawing = `${stamp} ${step} ${side} ${line.map((member) => member.name)}`;
    if (drawing === this.drawn || !side) return;
    this.drawn = drawing;
    this.places.forEach(({ canvas }, place) => {
      if (place % every) return;
      const codes = codesAt(line[place], step);
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      const context = clearCanvas(canvas);
      drawPoints(context, {
        codes, labels, scale: Math.min(width, height) / 2 / reach, x0: width / 2, y0: height / 2,
        size: width < 40 ? 1 : 1.5, every: Math.ceil(codes.length / 2 / DOTS),
      });
    });
  }
}
