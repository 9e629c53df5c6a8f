import { contextOf, latentName, make } from "../../shared/dom.js";
import { paintAxes, paintComponents, paintRings } from "../../shared/marks.js";
import { Viewport } from "../../shared/viewport.js";
import { PointIndex } from "../geometry/nearest.js";
import { pairProjection } from "../geometry/projection.js";
import { Density, quantiles } from "./density.js";
import { classMedians, paintNumerals } from "./numerals.js";
import * as overlay from "./overlay.js";
import { PointLayer } from "./points.js";
import { shadesOf } from "./scale.js";
import { TileLayer } from "./tiles.js";

/**
 * The latent map: two canvases, one for what lies still and one for what follows the hand.
 * It reads the state and draws; gestures.js turns the hand's moves into state.
 * @typedef {import("../scene/app.js").App} App
 * @typedef {import("../geometry/projection.js").Projection} Projection
 */
export class LatentMap {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.view = new Viewport();
    this.base = make("canvas", { class: "base" });
    this.top = make("canvas", { class: "overlay", tabindex: 0, role: "application" });
    this.top.setAttribute("aria-label", app.text("map_label"));
    this.element = make("div", { class: "map" }, this.base, this.top);
    this.points = new PointLayer();
    this.tiles = new TileLayer(app.model, () => this.repaint());
    this.projection = pairProjection(new Float32Array(0), app.size, [0]);
    /** @type {PointIndex | null} */
    this.index = null;
    /** @type {Density | null} */
    this.density = null;
    /** @type {import("./numerals.js").Median[]} */
    this.medians = [];
    /** @type {number[][]} of a lasso or a box, in screen pixels */
    this.outline = [];
    /** @type {overlay.Ellipse | null} where the posterior was drawn, for tests */
    this.ellipse = null;
    this.fitted = false;
    this.frame = 0;
    this.settling = 0;
    this.moving = false;
    this.baseDirty = false;
    this.ratio = 1;
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(this.element);
    // A font is fetched once a canvas first asks for it; until then another stands in.
    this.fontsCame = () => this.repaint();
    document.fonts.addEventListener("loadingdone", this.fontsCame);
  }

  /**
   * Show the codes through `projection`.
   * @param {Projection} projection
   */
  setProjection(projection) {
    this.projection = projection;
    this.colour();
    this.index = projection.xs.length ? new PointIndex(projection.xs, projection.ys) : null;
    this.density = null;
    this.tiles.forget();
    this.fit();
  }

  /** How densely the codes lie; counted when it is first asked for, which is after the first paint. */
  get densityLayer() {
    if (this.projection.xs.length) this.density ??= new Density(this.projection);
    return this.density;
  }

  /** Give the points the colours of what was chosen: classes, words or numbers. */
  colour() {
    const { factor, groups } = this.app;
    const shades = factor && !factor.words ? shadesOf(factor) : null;
    this.points.setPoints(this.projection, groups, shades);
    this.medians = classMedians(this.projection, groups);
    this.repaint();
  }

  /** Show all of it: the codes and, where the axes are latents, the prior's third ring. */
  fit() {
    const { xs, ys, isSpace } = this.projection;
    let [left, right] = xs.length ? quantiles(xs) : [-3, 3];
    let [bottom, top] = xs.length ? quantiles(ys) : [-3, 3];
    if (isSpace && this.app.model.hasPosterior && this.app.model.prior.isStandard) {
      [left, right] = [Math.min(left, -3.15), Math.max(right, 3.15)];
      [bottom, top] = [Math.min(bottom, -3.15), Math.max(top, 3.15)];
    }
    if (this.projection.dims.length === 1) [bottom, top] = [-1.6, 1.6];
    const half = [(0.52 * (right - left)) || 1, (0.515 * (top - bottom)) || 1];
    this.view.fit((left + right) / 2, (bottom + top) / 2, half[0], half[1]);
    this.fitted = true;
    this.viewChanged();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    this.points.invalidate();
    // Presentation mode magnifies the page: the canvas then needs more pixels, not larger ones.
    const zoom = this.element.getBoundingClientRect().width / this.element.offsetWidth || 1;
    this.ratio = Math.min(2, (window.devicePixelRatio || 1) * zoom);
    Object.assign(this.view, { width, height });
    for (const canvas of [this.base, this.top]) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    if (this.fitted) this.fit();
    else this.viewChanged();
  }

  /** The view moved: draw now, and once it rests, refine the tiles and tell the scene. */
  viewChanged(byHand = false) {
    if (byHand) this.fitted = false;
    this.moving = byHand;
    this.repaint();
    clearTimeout(this.settling);
    this.settling = window.setTimeout(() => {
      this.moving = false;
      this.repaint();
      this.refreshTiles();
      this.app.viewSettled?.();
    }, 120);
  }

  refreshTiles() {
    const { state } = this.app.store;
    const { dims, isSpace } = this.projection;
    // Without a size the map has not been painted: what it rests at then refines the tiles.
    if (!state.layers.manifold || !isSpace || this.view.width < 2) return;
    const theme = this.app.theme;
    const density = this.densityLayer;
    // Ink darkens where it lies; colours as faint as that could not be told apart.
    const full = this.app.header.shape[0] === 3 ? 0.6 : theme.dark ? 0.34 : 0.3;
    this.tiles.update(this.view, dims, state.z, {
      ink: theme.ink,
      ratio: this.ratio,
      // Far from all codes the decoder only guesses: fade.
      strength: (x, y) => full * (density ? 0.12 + 0.88 * density.familiarity(x, y) : 1),
    });
  }

  /** Redraw both canvases in the next frame. */
  repaint() {
    this.baseDirty = true;
    this.repaintTop();
  }

  /** Redraw what follows the hand in the next frame. */
  repaintTop() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.baseDirty) this.paintBase();
      this.baseDirty = false;
      this.paintTop();
    });
  }

  paintBase() {
    const { view, projection, app } = this;
    if (!projection || view.width < 2) return;
    const { theme } = app;
    const { state } = app.store;
    const { layers } = state;
    const context = contextOf(this.base);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    if (layers.manifold && projection.isSpace) this.tiles.paint(context, view);
    if (layers.density && this.densityLayer) this.densityLayer.paint(context, view, theme.z);
    if (layers.points && projection.xs.length) {
      this.points.paint(context, view, {
        hidden: state.hidden,
        chosen: state.selection?.mask ?? null,
        glyphs: layers.glyphs && this.points.canDrawGlyphs,
        ratio: this.ratio,
        moving: this.moving,
        theme,
      });
    }
    if (projection.isSpace) {
      paintAxes(context, view, theme, projection.dims.map(latentName));
      if (layers.prior && app.model.hasPosterior) {
        const { components } = app.model.prior;
        if (components) paintComponents(context, view, theme, components, projection.dims);
        else paintRings(context, view, theme, projection.dims.length);
      }
    }
    if (layers.numerals && projection.dims.length !== 1) {
      const size = state.presentation ? 24 : 17;
      paintNumerals(context, view, theme, this.medians, app.groupNames, state.hidden, size);
    }
  }

  paintTop() {
    const { view, projection, app } = this;
    if (!projection || view.width < 2) return;
    const { theme } = app;
    const { state } = app.store;
    const context = contextOf(this.top);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    if (state.layers.path && state.path && projection.isSpace) {
      const points = state.path.frames.map((z) => this.locate(z));
      overlay.paintPath(context, view, theme, points, state.path.current);
    }
    this.ellipse = null;
    const posterior = this.posterior();
    if (posterior && state.layers.posterior) {
      this.ellipse = overlay.paintPosterior(context, view, theme, posterior);
      overlay.paintInset(context, view, theme, {
        posterior,
        index: this.index,
        labels: app.groups,
        hidden: state.hidden,
        label: "q(z|x)",
      });
    }
    const pins = state.pins.map((pin) => {
      const [x, y] = this.locate(pin.z);
      return { x, y, name: pin.name };
    });
    overlay.paintPins(context, view, theme, pins);
    overlay.paintOutline(context, theme, this.outline);
    const [x, y] = this.locate(state.z);
    overlay.paintCursor(context, view, theme, x, y, true);
    if (state.hover) {
      const [hx, hy] = this.locate(state.hover.z, state.hover.index);
      overlay.paintCursor(context, view, theme, hx, hy, false);
    }
  }

  /** The chosen image's q(z|x) on this map; null where a projection has no ellipse. */
  posterior() {
    const { input } = this.app.store.state;
    const { dims, isSpace } = this.projection;
    if (!input?.logvar || !isSpace) return null;
    const { mean, logvar } = input;
    /** @param {number} d */
    const sigma = (d) => Math.exp(0.5 * logvar[d]);
    if (dims.length === 1) return { x: mean[dims[0]], y: 0, sx: sigma(dims[0]), sy: 0.2 };
    return { x: mean[dims[0]], y: mean[dims[1]], sx: sigma(dims[0]), sy: sigma(dims[1]) };
  }

  /**
   * Where z lies on the map; in a projection, where its nearest code does.
   * @param {Float32Array} z
   * @param {number} [index] of that code, where it is known
   * @returns {[number, number]}
   */
  locate(z, index = undefined) {
    const { dims, isSpace, xs, ys } = this.projection;
    if (isSpace) return [z[dims[0]], dims.length > 1 ? z[dims[1]] : 0];
    const code = index ?? this.app.nearestCode(z);
    return code < 0 ? [0, 0] : [xs[code], ys[code]];
  }

  /**
   * z under the pointer, and the code that is near enough to be meant.
   * @param {number} x in the plane
   * @param {number} y
   * @param {number} reach
   */
  zAt(x, y, reach) {
    const { app, projection, index } = this;
    const { state } = app.store;
    const { groups } = app;
    /** @param {number} i */
    const shown = (i) => !groups || !state.hidden.has(groups[i]);
    const near = index && state.layers.points ? index.nearest(x, y, reach, shown) : -1;
    if (!projection.isSpace) {
      const code = index ? index.nearest(x, y, Infinity, shown) : -1;
      return { z: code < 0 ? state.z : app.codeAt(code), near, index: code };
    }
    const z = state.z.slice();
    z[projection.dims[0]] = x;
    if (projection.dims.length > 1) z[projection.dims[1]] = y;
    return { z, near, index: undefined };
  }

  dispose() {
    this.resizer.disconnect();
    document.fonts.removeEventListener("loadingdone", this.fontsCame);
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settling);
    this.tiles.forget();
  }
}
