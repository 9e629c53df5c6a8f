import { contextOf, make } from "../../shared/dom.js";

const SIDE = 280;

/**
 * A small canvas to write on: pen, eraser, clear. Tells of every stroke while the pen moves.
 * @typedef {[number, number]} Point in the canvas's pixels
 */
export class DrawingPad {
  /**
   * @param {(drawn: ImageData) => void} changed
   * @param {string} label
   */
  constructor(changed, label) {
    this.changed = changed;
    this.erasing = false;
    this.ink = "#ffffff";
    this.canvas = make("canvas", { class: "pad", width: SIDE, height: SIDE, "aria-label": label });
    this.context = contextOf(this.canvas, { willReadFrequently: true });
    this.frame = 0;
    this.clear(false);
    /** @type {Point | null} */
    let last = null;
    /**
     * @param {PointerEvent} event
     * @returns {Point}
     */
    const place = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture?.(event.pointerId);
      last = place(event);
      this.stroke(last, last);
      event.preventDefault();
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = place(event);
      this.stroke(last, next);
      last = next;
    });
    const end = () => {
      last = null;
    };
    this.canvas.addEventListener("pointerup", end);
    this.canvas.addEventListener("pointercancel", end);
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  stroke([x0, y0], [x1, y1]) {
    const { context } = this;
    context.strokeStyle = this.erasing ? "#000" : this.ink;
    context.lineWidth = this.erasing ? 40 : 22;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1 + 0.01, y1);
    context.stroke();
    this.tell();
  }

  clear(tell = true) {
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, SIDE, SIDE);
    if (tell) this.tell();
  }

  /** At most once per frame, however fast the pen is. */
  tell() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.changed(this.context.getImageData(0, 0, SIDE, SIDE));
    });
  }
}
