import { contextOf } from "../../shared/dom.js";
import { channels } from "../../shared/theme.js";

const SIDE = 160;
const SHARES = [0.25, 0.5, 0.75, 0.9];

/** How densely the codes lie, on a grid over their extent: blurred counts. */
export class Density {
  /** @param {import("../geometry/projection.js").Projection} projection */
  constructor({ xs, ys }) {
    const [left, right] = quantiles(xs);
    const [bottom, top] = quantiles(ys);
    const [marginX, marginY] = [0.15 * (right - left || 1), 0.15 * (top - bottom || 1)];
    this.left = left - marginX;
    this.bottom = bottom - marginY;
    this.cellX = (right - left + 2 * marginX) / SIDE;
    this.cellY = (top - bottom + 2 * marginY) / SIDE;
    let grid = new Float32Array(SIDE * SIDE);
    const step = Math.max(1, Math.floor(xs.length / 200000));
    for (let i = 0; i < xs.length; i += step) {
      const column = Math.floor((xs[i] - this.left) / this.cellX);
      const row = Math.floor((ys[i] - this.bottom) / this.cellY);
      if (column >= 0 && row >= 0 && column < SIDE && row < SIDE) grid[row * SIDE + column] += 1;
    }
    // Three box blurs make a bell.
    for (let pass = 0; pass < 3; pass++) grid = blur(blur(grid, 1, SIDE, 3), SIDE, 1, 3);
    this.grid = grid;
    this.levels = levelsOf(grid);
    this.peak = grid.reduce((a, b) => Math.max(a, b), 0) || 1;
    /** @type {Map<string, HTMLCanvasElement>} by colour */
    this.images = new Map();
  }

  /**
   * 1 where codes are at home, falling to 0 where there are none.
   * @param {number} x
   * @param {number} y
   */
  familiarity(x, y) {
    const column = Math.floor((x - this.left) / this.cellX);
    const row = Math.floor((y - this.bottom) / this.cellY);
    if (column < 0 || row < 0 || column >= SIDE || row >= SIDE) return 0;
    return Math.min(1, Math.sqrt(this.grid[row * SIDE + column] / (this.levels[3] || 1)));
  }

  /**
   * Bands that hold 25, 50, 75 and 90 % of the codes.
   * @param {CanvasRenderingContext2D} context
   * @param {import("../../shared/viewport.js").Viewport} view
   * @param {string} colour
   */
  paint(context, view, colour) {
    const image = this.images.get(colour) ?? this.draw(colour);
    this.images.set(colour, image);
    const x = view.toScreenX(this.left);
    const y = view.toScreenY(this.bottom + SIDE * this.cellY);
    context.imageSmoothingEnabled = true;
    context.drawImage(image, x, y, SIDE * this.cellX * view.scale, SIDE * this.cellY * view.scale);
  }

  /** @param {string} colour */
  draw(colour) {
    const scale = 3;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE * scale;
    const context = contextOf(canvas);
    const image = context.createImageData(canvas.width, canvas.height);
    const [red, green, blue] = channels(colour);
    for (let y = 0; y < canvas.height; y++) {
      for (let x = 0; x < canvas.width; x++) {
        const value = this.smooth(x / scale - 0.5, SIDE - 0.5 - y / scale);
        const band = this.levels.filter((level) => value >= level).length;
        const at = 4 * (y * canvas.width + x);
        image.data[at] = red;
        image.data[at + 1] = green;
        image.data[at + 2] = blue;
        image.data[at + 3] = 30 * band;
      }
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  smooth(x, y) {
    const [column, row] = [Math.max(0, Math.min(SIDE - 2, Math.floor(x))), Math.max(0, Math.min(SIDE - 2, Math.floor(y)))];
    const [u, v] = [Math.min(1, Math.max(0, x - column)), Math.min(1, Math.max(0, y - row))];
    const at = row * SIDE + column;
    const g = this.grid;
    return (1 - v) * ((1 - u) * g[at] + u * g[at + 1]) + v * ((1 - u) * g[at + SIDE] + u * g[at + SIDE + 1]);
  }
}

/** @param {Float32Array} grid */
function levelsOf(grid) {
  const sorted = Float32Array.from(grid).sort().reverse();
  const total = sorted.reduce((a, b) => a + b, 0);
  /** @type {number[]} */
  const levels = [];
  let sum = 0;
  for (const value of sorted) {
    sum += value;
    while (levels.length < SHARES.length && sum >= SHARES[levels.length] * total) levels.push(value);
  }
  return levels;
}

/**
 * @param {Float32Array} grid
 * @param {number} along
 * @param {number} across
 * @param {number} radius
 */
function blur(grid, along, across, radius) {
  const out = new Float32Array(grid.length);
  for (let line = 0; line < SIDE; line++) {
    for (let i = 0; i < SIDE; i++) {
      let sum = 0;
      for (let d = -radius; d <= radius; d++) {
        const j = i + d;
        if (j >= 0 && j < SIDE) sum += grid[line * across + j * along];
      }
      out[line * across + i * along] = sum / (2 * radius + 1);
    }
  }
  return out;
}

/**
 * The 0.5 and 99.5 % quantiles.
 * @param {Float32Array} values
 */
export function quantiles(values) {
  const step = Math.max(1, Math.floor(values.length / 20000));
  const sorted = Float32Array.from({ length: Math.ceil(values.length / step) }, (_, i) => values[i * step]).sort();
  /** @param {number} q */
  const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return [at(0.005), at(0.995)];
}
