import { clearCanvas } from "../shared/clear.js";
import { contextOf, make } from "../shared/dom.js";

/**
 * The curves of reconstruction and KL over the steps, each on its own scale, with the film's cursor.
 * They are drawn once for a log and a size: a frame of the film moves the cursor alone.
 * @typedef {import("./frames.js").Point} Point
 */

const MARGIN = 4;

export class Curves {
  constructor() {
    this.canvas = make("canvas", { class: "curves", role: "img" });
    this.kept = make("canvas");
    this.key = "";
    /** @type {Point[] | null} */
    this.log = null;
  }

  /**
   * @param {Point[]} log
   * @param {number} step where the cursor stands
   * @param {CSSStyleDeclaration} style has the roles' colours
   */
  draw(log, step, style) {
    const context = clearCanvas(this.canvas);
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const colours = ["--role-reconstruction", "--role-kl"].map((role) => style.getPropertyValue(role));
    const key = [this.canvas.width, this.canvas.height, ...colours].join(" ");
    if (log !== this.log || key !== this.key) this.trace(log, colours, width, height);
    [this.log, this.key] = [log, key];
    context.drawImage(this.kept, 0, 0, width, height);
    context.fillStyle = style.getPropertyValue("--role-caption");
    context.fillRect(Math.min(width - 1, (width * step) / endOf(log)), 0, 1, height);
  }

  /** @param {Point[]} log @param {string[]} colours @param {number} width @param {number} height */
  trace(log, colours, width, height) {
    this.kept.width = this.canvas.width;
    this.kept.height = this.canvas.height;
    const context = contextOf(this.kept);
    context.scale(this.kept.width / width, this.kept.height / height);
    context.lineWidth = 1.6;
    [log.map(({ reconstruction }) => reconstruction), log.map(({ kl }) => kl)].forEach((values, at) => {
      context.strokeStyle = colours[at];
      line(context, log, values, width, height);
    });
  }
}

/** @param {Point[]} log */
const endOf = (log) => Math.max(1, log.at(-1)?.step ?? 1);

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point[]} log
 * @param {(number | null)[]} values one for each point, null where it was not measured
 * @param {number} width
 * @param {number} height
 */
function line(context, log, values, width, height) {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  context.beginPath();
  log.forEach(({ step }, at) => {
    const value = values[at];
    if (value === null) return;
    const part = (value - low) / (high - low || 1);
    context.lineTo((width * step) / endOf(log), height - MARGIN - (height - 2 * MARGIN) * part);
  });
  context.stroke();
}
