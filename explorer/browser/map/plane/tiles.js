import { contextOf } from "../../shared/dom.js";
import { inkPicture } from "../../shared/picture.js";

const KEPT = 4000;
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50];

/** @param {{x: number, y: number}} knot */
const nameOf = ({ x, y }) => `${x.toFixed(4)},${y.toFixed(4)}`;

/**
 * The decoded manifold: what the decoder makes of every knot of a grid that follows the zoom.
 * Decoded one after the other, so that the pointer never waits; until a tile is there, what was seen
 * in its place before stays.
 * @typedef {{x: number, y: number, width: number, height: number}} Place in the plane, from the top left
 * @typedef {{column: number, row: number, x: number, y: number, strength: number}} Tile a knot of the grid
 */
export class TileLayer {
  /**
   * @param {{shape: number[], isLocal: boolean, picturesSoon: (channel: string, points: Float32Array[], each: (index: number, picture: Float32Array) => void) => void}} model
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
    const [, height, width] = this.model.shape;
    // Large pictures need larger tiles to be recognised, and slow models fewer.
    const wanted = (Math.max(27, 0.5 * Math.max(width, height)) * (this.model.isLocal ? 1 : 1.2)) / view.scale;
    const step = STEPS.find((size) => size >= wanted) ?? STEPS[STEPS.length - 1];
    const edges = view.edges();
    const first = [Math.ceil(edges.left / step), Math.ceil(edges.bottom / step)];
    const last = [Math.floor(edges.right / step), Math.floor(edges.top / step)];
    const counts = [last[0] - first[0] + 1, last[1] - first[1] + 1];
    const others = Array.from(base, (v, i) => (dims.includes(i) ? "" : v.toFixed(3))).join();
    const key = [step, first, counts, others, look.ink, dims].join("|");
    if (key === this.key || counts[0] < 1 || counts[1] < 1 || counts[0] * counts[1] > 5000) return;
    const isSame = others === this.others && look.ink === this.ink;
    if (!isSame) this.kept.clear();
    Object.assign(this, { key, others, ink: look.ink, done: false });
    const side = Math.min(step * view.scale * look.ratio, Math.max(width, height));
    // Tiles are drawn at the size they are seen in, or in their own if that is smaller.
    const pixels = Math.max(4, Math.round(side));
    const place = {
      x: (first[0] - 0.5) * step,
      y: (last[1] + 0.5) * step,
      width: counts[0] * step,
      height: counts[1] * step,
    };
    const canvas = this.prepare(place, counts[0] * pixels, counts[1] * pixels, isSame);
    const context = contextOf(canvas);
    const small = document.createElement("canvas");
    small.width = width;
    small.height = height;
    const smallContext = contextOf(small);
    /** @type {(tile: Tile, image: ImageData) => void} */
    const draw = ({ column, row }, image) => {
      const [left, top] = [column * pixels, (counts[1] - 1 - row) * pixels];
      smallContext.putImageData(image, 0, 0);
      context.clearRect(left, top, pixels, pixels);
      context.drawImage(small, left + 0.06 * pixels, top + 0.06 * pixels, 0.88 * pixels, 0.88 * pixels);
    };
    /** @type {Tile[]} */
    const tiles = [];
    for (let row = 0; row < counts[1]; row++) {
      for (let column = 0; column < counts[0]; column++) {
        const [x, y] = [(first[0] + column) * step, (first[1] + row) * step];
        const strength = look.strength(x, y);
        if (strength >= 0.02) tiles.push({ column, row, x, y, strength });
        else context.clearRect(column * pixels, (counts[1] - 1 - row) * pixels, pixels, pixels);
      }
    }
    // What is decoded already is shown at once; the rest follows from the middle outwards.
    const missing = tiles.filter((tile) => {
      const image = this.kept.get(nameOf(tile));
      if (image) draw(tile, image);
      return !image;
    });
    missing.sort((a, b) => Math.hypot(a.x - view.x, a.y - view.y) - Math.hypot(b.x - view.x, b.y - view.y));
    const points = missing.map(({ x, y }) => {
      const z = Float32Array.from(base);
      z[dims[0]] = x;
      if (dims.length > 1) z[dims[1]] = y;
      return z;
    });
    Object.assign(this, { canvas, place, done: !missing.length });
    this.repaint();
    this.model.picturesSoon("tiles", points, (n, picture) => {
      const image = inkPicture(picture, this.model.shape, look.ink, missing[n].strength);
      if (this.kept.size > KEPT) this.kept.clear();
      this.kept.set(nameOf(missing[n]), image);
      draw(missing[n], image);
      this.done = n === missing.length - 1;
      this.repaint();
    });
  }

  /**
   * A canvas for the grid at a place; what is shown there now serves until it is decoded.
   * @param {Place} place
   * @param {number} width
   * @param {number} height
   * @param {boolean} keeps whether what is shown is of the same model and latents
   */
  prepare(place, width, height, keeps) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const before = this.place;
    if (before && keeps) {
      const [across, down] = [width / place.width, height / place.height];
      contextOf(canvas).drawImage(
        this.canvas,
        (before.x - place.x) * across,
        (place.y - before.y) * down,
        before.width * across,
        before.height * down,
      );
    }
    return canvas;
  }

  forget() {
    this.model.picturesSoon("tiles", [], () => {});
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
