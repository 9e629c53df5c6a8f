import { contextOf, latentName, make } from "../shared/dom.js";
import { halo, paintAxes, paintComponents, paintRings } from "../shared/marks.js";
import { classColour } from "../shared/theme.js";
import { Viewport } from "../shared/viewport.js";

/**
 * A canvas on the latent plane: codes, the exact posterior's contours, ellipses of normals.
 * @typedef {import("../shared/theme.js").Theme} Theme
 * @typedef {import("./gaussian.js").Normal} Normal
 *
 * @typedef {object} Ground what lies under the normals
 * @property {Theme} theme
 * @property {{mean: Float32Array, labels: ArrayLike<number> | null, count: number} | null} codes
 * @property {{prior: import("../model/prior.js").Prior}} model
 *
 * @typedef {object} Posterior the exact one
 * @property {Theme} theme
 * @property {import("./contours.js").Raster} raster
 * @property {HTMLCanvasElement} density
 * @property {number[][][]} lines level by level, the segments of its contour
 *
 * @typedef {object} StageOptions
 * @property {string} label
 * @property {boolean} [focusable]
 * @property {(context: CanvasRenderingContext2D, stage: Stage) => void} paint
 * @property {(view: Viewport) => void} fit
 */

export const LEAST_HANDLE = 30;
const ROTATION = 26;

export class Stage {
  /** @param {StageOptions} options */
  constructor(options) {
    this.options = options;
    this.view = new Viewport();
    this.canvas = make("canvas", { role: options.focusable ? "application" : "img", tabindex: options.focusable ? 0 : null });
    this.canvas.setAttribute("aria-label", options.label);
    this.element = make("div", { class: "stage" }, this.canvas);
    this.fitted = true;
    this.frame = 0;
    this.ratio = 1;
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(this.element);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    // A presented page is magnified: the canvas then needs more pixels, not larger ones.
    const zoom = this.element.getBoundingClientRect().width / this.element.offsetWidth || 1;
    this.ratio = Math.min(2, (window.devicePixelRatio || 1) * zoom);
    Object.assign(this.view, { width, height });
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    if (this.fitted) this.options.fit(this.view);
    this.paint();
  }

  fit() {
    this.fitted = true;
    this.options.fit(this.view);
    this.repaint();
  }

  repaint() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  paint() {
    if (this.view.width < 2) return;
    const context = contextOf(this.canvas);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.view.width, this.view.height);
    this.options.paint(context, this);
  }

  dispose() {
    this.resizer.disconnect();
    cancelAnimationFrame(this.frame);
  }
}

/**
 * Axes, rings and codes: what both views share.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Ground} ground
 * @param {{size: number, strength: number}} look of the codes
 */
export function paintGround(context, view, { theme, codes, model }, { size, strength }) {
  if (codes) {
    context.globalAlpha = strength;
    const { left, right, top, bottom } = view.edges();
    for (let i = 0, at = 0; i < codes.count; i++, at += 2) {
      const [x, y] = [codes.mean[at], codes.mean[at + 1]];
      if (x < left || x > right || y < bottom || y > top) continue;
      context.fillStyle = codes.labels ? classColour(codes.labels[i]) : theme.muted;
      context.fillRect(view.toScreenX(x) - size / 2, view.toScreenY(y) - size / 2, size, size);
    }
    context.globalAlpha = 1;
  }
  paintAxes(context, view, theme, [latentName(0), latentName(1)]);
  const { components } = model.prior;
  if (components) paintComponents(context, view, theme, components, [0, 1]);
  else paintRings(context, view, theme, 2);
}

/**
 * The exact posterior: its density as a wash, contours that hold 50, 90 and 99 %.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Posterior} posterior
 */
export function paintPosterior(context, view, { raster, density, lines, theme }) {
  const [rows, columns] = raster.values.shape;
  const [width, height] = [columns * raster.step * view.scale, rows * raster.step * view.scale];
  const x = view.toScreenX(raster.left - raster.step / 2);
  const y = view.toScreenY(raster.bottom - raster.step / 2) - height;
  context.imageSmoothingEnabled = true;
  context.drawImage(density, x, y, width, height);
  context.strokeStyle = theme.z;
  lines.forEach((segments, place) => {
    context.lineWidth = [1.8, 1.3, 0.8][place] ?? 0.8;
    context.beginPath();
    for (const [x0, y0, x1, y1] of segments) {
      context.moveTo(view.toScreenX(x0), view.toScreenY(y0));
      context.lineTo(view.toScreenX(x1), view.toScreenY(y1));
    }
    context.stroke();
  });
}

/**
 * One and two standard deviations of a normal, at true scale.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Normal} q
 * @param {string} colour
 * @param {{dashed?: boolean, width?: number}} [look]
 */
export function paintNormal(context, view, q, colour, { dashed = false, width = 2 } = {}) {
  context.strokeStyle = colour;
  context.setLineDash(dashed ? [5, 4] : []);
  for (const times of [2, 1]) {
    context.lineWidth = times === 1 ? width : 0.7 * width;
    context.beginPath();
    const [a, b] = [times * q.a * view.scale, times * q.b * view.scale];
    context.ellipse(view.toScreenX(q.x), view.toScreenY(q.y), a, b, -q.angle, 0, 2 * Math.PI);
    context.stroke();
  }
  context.setLineDash([]);
}

/**
 * The mean, a disc.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Normal} q
 * @param {string} colour
 * @param {number} [size]
 */
export function paintMean(context, view, q, colour, size = 3) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(view.toScreenX(q.x), view.toScreenY(q.y), size, 0, 2 * Math.PI);
  context.fill();
}

/**
 * A name above a normal (a negative offset, in pixels) or below it.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {Normal} q
 * @param {string} label
 * @param {string} colour
 * @param {number} offset
 * @param {number} [least] how far from the mean it keeps at least
 */
export function paintName(context, view, theme, q, label, colour, offset, least = 0) {
  const reach = Math.max(least, 2 * view.scale * Math.hypot(q.a * Math.sin(q.angle), q.b * Math.cos(q.angle)));
  context.font = `600 12px ${theme.font}`;
  context.textAlign = "center";
  context.fillStyle = colour;
  const x = Math.min(view.width - 40, Math.max(40, view.toScreenX(q.x)));
  const y = view.toScreenY(q.y) + offset + Math.sign(offset) * reach;
  halo(context, theme, label, x, Math.min(view.height - 8, Math.max(16, y)));
}

/**
 * Where the handles of q lie on the screen: two per axis and one that turns.
 * @param {Viewport} view
 * @param {Normal} q
 * @returns {{kind: "a" | "b" | "turn", x: number, y: number}[]}
 */
export function handlesOf(view, q) {
  const [cx, cy] = [view.toScreenX(q.x), view.toScreenY(q.y)];
  const [cos, sin] = [Math.cos(q.angle), -Math.sin(q.angle)];
  const along = Math.max(LEAST_HANDLE, 2 * q.a * view.scale);
  const across = Math.max(LEAST_HANDLE, 2 * q.b * view.scale);
  return [
    { kind: "a", x: cx + along * cos, y: cy + along * sin },
    { kind: "a", x: cx - along * cos, y: cy - along * sin },
    { kind: "b", x: cx - across * sin, y: cy + across * cos },
    { kind: "b", x: cx + across * sin, y: cy - across * cos },
    { kind: "turn", x: cx + (along + ROTATION) * cos, y: cy + (along + ROTATION) * sin },
  ];
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Viewport} view
 * @param {Theme} theme
 * @param {Normal} q
 */
export function paintHandles(context, view, theme, q) {
  const [cx, cy] = [view.toScreenX(q.x), view.toScreenY(q.y)];
  const handles = handlesOf(view, q);
  context.strokeStyle = theme.sigma;
  context.globalAlpha = 0.55;
  context.lineWidth = 1;
  context.beginPath();
  for (const { x, y } of handles) {
    context.moveTo(cx, cy);
    context.lineTo(x, y);
  }
  context.stroke();
  context.globalAlpha = 1;
  for (const { kind, x, y } of handles) {
    context.fillStyle = theme.surface;
    context.strokeStyle = theme.sigma;
    context.lineWidth = 2;
    context.beginPath();
    if (kind === "turn") context.arc(x, y, 5.5, 0, 2 * Math.PI);
    else context.rect(x - 4.5, y - 4.5, 9, 9);
    context.fill();
    context.stroke();
  }
}
