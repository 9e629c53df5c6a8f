import { contextOf } from "../../shared/dom.js";
import { inkPicture } from "../../shared/picture.js";

const BUDGET_MS = 5;
const KEPT = 4000;
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50];

/**
 * The decoded manifold: what the decoder makes of every knot of a grid that follows the zoom.
 * Decoded a few milliseconds at a time, so that the pointer never waits.
 * @typedef {{x: number, y: number, width: number, height: number}} Place in the plane, from the top left
 */
export class TileLayer {
  /**
   * @param {{shape: number[], picture: (z: Float32Array) => Float32Array}} model
   * @param {() => void} repaint
   */
  constructor(model, repaint) {
    this.model = model;
    this.repaint = repaint;
    /** @type {Map<string, ImageData>} */
    this.kept = new Map();
    this.canvas = document.createElement("canvas");
    /** @type {Place | null} */
    this.place = null;
    this.others = "";
    this.ink = "";
    this.done = false;
    this.timer = 0;
    this.key = "";
  }

  /**
   * Make the grid fit the view; called after the view has come to rest.
   * @param {import("../../shared/viewport.js").Viewport} view
   * @param {number[]} dims the two latents that the map shows
   * @param {Float32Array} base values of the others
   * @param {{ink: string, strength: (x: number, y: number) => number, ratio: number}} look
   */
  update(view, dims, base, look) {
    const wanted = 27 / view.scale;
    const step = STEPS.find((size) => size >= wanted) ?? STEPS[STEPS.length - 1];
    const edges = view.edges();
    const first = [Math.ceil(edges.left / step), Math.ceil(edges.bottom / step)];
    const last = [Math.floor(edges.right / step), Math.floor(edges.top / step)];
    const counts = [last[0] - first[0] + 1, last[1] - first[1] + 1];
    const others = Array.from(base, (v, i) => (dims.includes(i) ? "" : v.toFixed(3))).join();
    const key = [step, first, counts, others, look.ink, dims].join("|");
    if (key === this.key || counts[0] < 1 || counts[1] < 1 || counts[0] * counts[1] > 5000) return;
    if (others !== this.others || look.ink !== this.ink) this.kept.clear();
    Object.assign(this, { key, others, ink: look.ink });
    clearTimeout(this.timer);
    const [, height, width] = this.model.shape;
    const side = Math.min(step * view.scale * look.ratio, Math.max(width, height));
    const next = document.createElement("canvas");
    // Tiles are drawn at the size they are seen in, or in their own if that is smaller.
    const pixels = Math.max(4, Math.round(side));
    next.width = counts[0] * pixels;
    next.height = counts[1] * pixels;
    const context = contextOf(next);
    const small = document.createElement("canvas");
    small.width = width;
    small.height = height;
    const smallContext = contextOf(small);
    const z = Float32Array.from(base);
    /** @type {[number, number, number, number][]} column and row of a knot, and where it lies */
    const queue = [];
    for (let row = 0; row < counts[1]; row++) {
      for (let column = 0; column < counts[0]; column++) {
        queue.push([column, row, (first[0] + column) * step, (first[1] + row) * step]);
      }
    }
    const place = {
      x: (first[0] - 0.5) * step,
      y: (last[1] + 0.5) * step,
      width: counts[0] * step,
      height: counts[1] * step,
    };
    // What is decoded already is shown at once; the rest follows from the middle outwards.
    queue.sort((a, b) => Math.hypot(a[2] - view.x, a[3] - view.y) - Math.hypot(b[2] - view.x, b[3] - view.y));
    let at = 0;
    const work = () => {
      const until = performance.now() + BUDGET_MS;
      for (; at < queue.length && performance.now() < until; at++) {
        const [column, row, x, y] = queue[at];
        const strength = look.strength(x, y);
        if (strength < 0.02) continue;
        const name = `${x.toFixed(4)},${y.toFixed(4)}`;
        let image = this.kept.get(name);
        if (!image) {
          z[dims[0]] = x;
          if (dims.length > 1) z[dims[1]] = y;
          image = inkPicture(this.model.picture(z), this.model.shape, look.ink, strength);
          if (this.kept.size > KEPT) this.kept.clear();
          this.kept.set(name, image);
        }
        smallContext.putImageData(image, 0, 0);
        const top = (counts[1] - 1 - row) * pixels;
        context.drawImage(small, column * pixels + 0.06 * pixels, top + 0.06 * pixels, 0.88 * pixels, 0.88 * pixels);
      }
      if (at >= queue.length || !this.place) Object.assign(this, { canvas: next, place });
      this.repaint();
      if (at < queue.length) this.timer = window.setTimeout(work, 12);
      else this.done = true;
    };
    this.done = false;
    work();
  }

  forget() {
    clearTimeout(this.timer);
    this.kept.clear();
    this.key = "";
    this.place = null;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("../../shared/viewport.js").Viewport} view
   */
  paint(context, view) {
    const { place } = this;
    if (!place) return;
    context.imageSmoothingEnabled = true;
    context.drawImage(
      this.canvas,
      view.toScreenX(place.x),
      view.toScreenY(place.y),
      place.width * view.scale,
      place.height * view.scale,
    );
  }
}
