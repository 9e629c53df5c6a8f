import { contextOf } from "../../shared/dom.js";
import { channels, CLASS_COLOURS, classColour } from "../../shared/theme.js";
import { drawGlyph } from "./glyphs.js";
import { SHADE_COLOURS } from "./scale.js";

const SPRITE_LIMIT = 20000;
const MARGIN = 0.2;

/**
 * The codes as a picture that is kept: up to 20,000 as soft discs, more as pixels written into one
 * buffer (a million in about 20 ms).
 * @typedef {import("../../shared/viewport.js").Viewport} Viewport
 *
 * @typedef {object} Look
 * @property {Set<number>} hidden classes
 * @property {Uint8Array | null} chosen 1 for the codes of a selection
 * @property {boolean} glyphs
 * @property {number} ratio canvas pixels per pixel
 * @property {boolean} moving
 * @property {import("../../shared/theme.js").Theme} theme
 */
export class PointLayer {
  constructor() {
    this.canvas = document.createElement("canvas");
    /** @type {Viewport | null} what the kept picture shows */
    this.drawn = null;
    /** @type {Map<string, HTMLCanvasElement>} */
    this.sprites = new Map();
    this.canDrawGlyphs = false;
    this.order = new Int32Array(0);
    this.xs = new Float32Array(0);
    this.ys = new Float32Array(0);
    this.labels = new Int32Array(0);
    this.classCount = 0;
    /** @type {Uint8Array | null} of numbers that colour the points */
    this.shades = null;
  }

  /**
   * @param {import("../geometry/projection.js").Projection} projection
   * @param {ArrayLike<number> | null} labels
   * @param {Uint8Array | null} shades
   */
  setPoints(projection, labels, shades = null) {
    const { xs, ys } = projection;
    const count = xs.length;
    this.canDrawGlyphs = count <= SPRITE_LIMIT && labels !== null;
    this.order = new Int32Array(count);
    for (let i = 0; i < count; i++) this.order[i] = i;
    // Sorted data would paint its last class over all others: mix the order, once.
    let state = 1;
    for (let i = count - 1; i > 0; i--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const j = state % (i + 1);
      [this.order[i], this.order[j]] = [this.order[j], this.order[i]];
    }
    this.xs = gather(xs, this.order, new Float32Array(count));
    this.ys = gather(ys, this.order, new Float32Array(count));
    this.labels = labels ? gather(labels, this.order, new Int32Array(count)) : new Int32Array(count);
    this.shades = shades && gather(shades, this.order, new Uint8Array(count));
    this.classCount = 1;
    for (const label of this.labels) if (label >= this.classCount) this.classCount = label + 1;
    this.drawn = null;
  }

  invalidate() {
    this.drawn = null;
  }

  /**
   * While the view moves, the kept picture moves with it; once it rests, it is drawn anew. The
   * picture reaches beyond the view, so that a drag does not show its edge.
   * @param {CanvasRenderingContext2D} context
   * @param {Viewport} view
   * @param {Look} look
   */
  paint(context, view, look) {
    const drawn = this.drawn && covers(this.drawn, view, look.moving) ? this.drawn : this.drawAround(view, look);
    const zoom = view.scale / drawn.scale;
    context.drawImage(
      this.canvas,
      view.toScreenX(drawn.x) - (drawn.width / 2) * zoom,
      view.toScreenY(drawn.y) - (drawn.height / 2) * zoom,
      drawn.width * zoom,
      drawn.height * zoom,
    );
  }

  /**
   * @param {Viewport} view
   * @param {Look} look
   */
  drawAround(view, look) {
    const area = view.copy();
    area.width += 2 * Math.round(MARGIN * view.width);
    area.height += 2 * Math.round(MARGIN * view.height);
    this.draw(area, look);
    this.drawn = area;
    return area;
  }

  /**
   * @param {Viewport} view
   * @param {Look} look
   */
  draw(view, look) {
    const [width, height] = [Math.round(view.width * look.ratio), Math.round(view.height * look.ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = contextOf(this.canvas);
    context.clearRect(0, 0, width, height);
    if (this.xs.length <= SPRITE_LIMIT) this.drawSprites(context, view, look);
    else this.drawPixels(context, view, look);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Viewport} view
   * @param {Look} look
   */
  drawSprites(context, view, look) {
    const count = this.xs.length;
    const zoom = Math.min(1.6, Math.max(1, Math.sqrt(view.scale / 70)));
    const radius = (count > 4000 ? 1.75 : 2.3) * zoom * (look.glyphs ? 1.7 : 1) * look.ratio;
    const half = Math.ceil(radius) + 1;
    const sprites = this.shades
      ? SHADE_COLOURS.map((colour) => this.sprite(colour, 0, radius, half))
      : CLASS_COLOURS.map((colour, label) => this.sprite(colour, look.glyphs ? label : 0, radius, half));
    const kinds = this.shades ?? this.labels;
    const a = view.scale * look.ratio;
    const b = (view.width / 2 - view.x * view.scale) * look.ratio - half;
    const c = (view.height / 2 + view.y * view.scale) * look.ratio - half;
    for (const dim of look.chosen ? [true, false] : [false]) {
      context.globalAlpha = dim ? 0.13 : look.theme.dark ? 0.85 : 0.78;
      for (let n = 0; n < count; n++) {
        const label = this.labels[n];
        if (look.hidden.has(label)) continue;
        if (look.chosen && (look.chosen[this.order[n]] === 0) !== dim) continue;
        const x = this.xs[n] * a + b;
        const y = c - this.ys[n] * a;
        if (x < -half || y < -half || x > context.canvas.width || y > context.canvas.height) continue;
        context.drawImage(sprites[kinds[n] % sprites.length], x, y);
      }
    }
    context.globalAlpha = 1;
  }

  /**
   * @param {string} colour
   * @param {number} glyph 0 for a disc
   * @param {number} radius
   * @param {number} half the sprite's side
   */
  sprite(colour, glyph, radius, half) {
    const key = `${colour} ${glyph} ${radius.toFixed(2)}`;
    let canvas = this.sprites.get(key);
    if (!canvas) {
      if (this.sprites.size > 400) this.sprites.clear();
      canvas = document.createElement("canvas");
      canvas.width = canvas.height = 2 * half;
      const context = contextOf(canvas);
      context.fillStyle = context.strokeStyle = colour;
      drawGlyph(context, glyph, half, half, radius);
      this.sprites.set(key, canvas);
    }
    return canvas;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Viewport} view
   * @param {Look} look
   */
  drawPixels(context, view, look) {
    const { width, height } = context.canvas;
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const kinds = this.shades ?? this.labels;
    const named = this.shades ? SHADE_COLOURS : Array.from({ length: this.classCount }, (_, label) => classColour(label));
    const bits = named.map(channels).map(([red, green, blue]) => (blue << 16) | (green << 8) | red);
    const colours = Uint32Array.from(bits, (colour) => 0xff000000 | colour);
    const faint = Uint32Array.from(bits, (colour) => 0x30000000 | colour);
    const away = Uint8Array.from({ length: this.classCount }, (_, label) => Number(look.hidden.has(label)));
    const size = Math.max(1, Math.round((this.xs.length > 300000 ? 1 : 1.6) * look.ratio));
    const a = view.scale * look.ratio;
    const b = (view.width / 2 - view.x * view.scale) * look.ratio - size / 2;
    const c = (view.height / 2 + view.y * view.scale) * look.ratio - size / 2;
    const [lastX, lastY] = [width - size, height - size];
    const { xs, ys, labels, order } = this;
    const passes = look.chosen ? [true, false] : [false];
    for (const dim of passes) {
      const palette = dim ? faint : colours;
      for (let n = 0; n < xs.length; n++) {
        const x = Math.round(xs[n] * a + b);
        const y = Math.round(c - ys[n] * a);
        if (x < 0 || y < 0 || x > lastX || y > lastY) continue;
        if (look.chosen && (look.chosen[order[n]] === 0) !== dim) continue;
        if (away[labels[n]]) continue;
        const colour = palette[kinds[n]];
        let at = y * width + x;
        for (let row = 0; row < size; row++, at += width) {
          for (let column = 0; column < size; column++) pixels[at + column] = colour;
        }
      }
    }
    context.putImageData(image, 0, 0);
  }
}

/**
 * The values in another order, thirty times as fast as by `from` and a function.
 * @template {Float32Array | Int32Array | Uint8Array} T
 * @param {ArrayLike<number>} values
 * @param {Int32Array} order
 * @param {T} into
 */
function gather(values, order, into) {
  for (let i = 0; i < order.length; i++) into[i] = values[order[i]];
  return into;
}

/**
 * Whether the kept picture will do: exactly, or while moving about.
 * @param {Viewport} drawn
 * @param {Viewport} view
 * @param {boolean} moving
 */
function covers(drawn, view, moving) {
  if (!moving) return drawn.x === view.x && drawn.y === view.y && drawn.scale === view.scale;
  const zoom = view.scale / drawn.scale;
  if (zoom < 0.8 || zoom > 2) return false;
  const spareX = (drawn.width * zoom - view.width) / 2;
  const spareY = (drawn.height * zoom - view.height) / 2;
  return (
    Math.abs(view.x - drawn.x) * view.scale <= spareX + 1 &&
    Math.abs(view.y - drawn.y) * view.scale <= spareY + 1
  );
}
