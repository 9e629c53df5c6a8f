import { Model } from "../model/model.js";
import { Bars } from "../shared/bars.js";
import { make } from "../shared/dom.js";
import { paintPicture } from "../shared/picture.js";
import { followPresenting } from "../shared/presenting.js";
import { createText } from "../shared/text.js";
import { channels, readTheme } from "../shared/theme.js";
import { readNormal, writeNormal } from "./address.js";
import { densityPicture, levelLines, lowestPoint } from "./contours.js";
import { between, bounded, fromFactor, klToPrior, PRIOR } from "./gaussian.js";
import { attachHand } from "./hand.js";
import { buildButtons, buildSliders, buildTable } from "./panel.js";
import { Scorer } from "./quadrature.js";
import { exactSentence, lowerLine, scoreSentence, upperLine } from "./sentences.js";
import { handlesOf, Stage } from "./stage.js";
import { paintMap, paintStage } from "./views.js";

const DRAG_MS = 14;
const REST_MS = 140;
const CHUNK_MS = 9;
const NODES = [8, 12, 18, 27, 40];
const AGREED_NATS = 0.01;
const STEP_MS = 85;
const LOST = 0.005;
const BEST = /** @type {const} */ (["diagonal", "full"]);

/**
 * One image of a two-latent model: the exact posterior, a normal q in the visitor's hand, and
 * where its ELBO goes.
 * @typedef {import("../shared/viewport.js").Viewport} Viewport
 * @typedef {import("./gaussian.js").Normal} Normal
 * @typedef {import("./panel.js").Place} Place
 * @typedef {import("./panel.js").Who} Who
 * @typedef {Normal & {elbo: number, kl: number}} Best
 * @typedef {{diagonal: Best, full: Best, paths: Normal[][], jumped: boolean}} Refined
 */
export class Lens {
  /**
   * @param {HTMLElement} root
   * @param {import("./header.js").LensHeader} header the payload
   * @param {{refine: () => void}} host
   */
  constructor(root, header, host) {
    this.root = root;
    this.header = header;
    this.host = host;
    this.text = createText(header.text);
    this.theme = readTheme(root);
    this.exact = header.exact;
    this.raster = header.raster;
    this.codes = header.codes && {
      mean: header.codes.mean,
      labels: header.codes.labels,
      count: header.codes.mean.length / 2,
    };
    this.model = new Model(header);
    this.scorer = new Scorer(this.model, header.x);
    this.encoder = fromFactor(header.encoder);
    this.lines = this.exact.levels.map((level) => levelLines(this.raster, level));
    this.lowest = lowestPoint(this.lines.at(-1) ?? []);
    this.density = densityPicture(this.raster, channels(this.theme.z));
    /** @type {Refined | null} the best normals, once they are asked for */
    this.refined = null;
    /** @type {Normal} */
    this.q = { ...this.encoder };
    this.terms = { reconstruction: this.exact.reconstruction, kl: this.exact.kl };
    this.error = 0;
    /** @type {Who} */
    this.who = "encoder";
    this.held = false;
    /** Whether two rules agree on the numbers. */
    this.settled = false;
    this.playing = 0;
    this.pending = 0;
    this.resting = 0;
    /** @type {ReturnType<Scorer["steps"]> | null} */
    this.polishing = null;
    /** For tests and the bench: how often the numbers followed q. */
    this.updates = 0;
    this.pixels = new Float32Array(this.model.pixelCount);
    const { text } = this;
    this.stage = new Stage({
      label: text("stage_label"),
      focusable: true,
      paint: (context, stage) => paintStage(this, context, stage.view),
      fit: (view) => this.fitView(view),
    });
    this.map = new Stage({
      label: text("map_label"),
      paint: (context, stage) => paintMap(this, context, stage.view),
      fit: (view) => view.fit(0, 0, 3.6, 3.6),
    });
    attachHand(this, this.stage);
    this.map.canvas.addEventListener("click", (event) => this.lookAt(event));
    this.bars = new Bars(text);
    this.table = buildTable(this);
    const { element: buttons, buttons: byName } = buildButtons(this);
    this.buttons = byName;
    byName.prior.hidden = !this.model.prior.isStandard;
    this.sliders = buildSliders(this);
    this.score = make("p", { class: "score", role: "status", "data-role": "score" });
    this.note = make("p", { class: "note", "data-role": "note" });
    this.magnified = make("span", { class: "muted" });
    /** @param {string} name */
    const picture = (name) => {
      const canvas = make("canvas", { class: "picture", "data-role": name });
      return { canvas, figure: make("figure", {}, canvas, make("figcaption", {}, text(`picture_${name}`))) };
    };
    const [scored, decoded] = [picture("scored"), picture("decoded")];
    this.decoded = decoded.canvas;
    paintPicture(scored.canvas, header.x, header.shape);
    this.root.replaceChildren(
      make("div", { class: "lens-columns" },
        make("section", { class: "part-map" },
          make("h3", {}, make("b", {}, text("map")), " · ", make("span", { class: "muted" }, text("map_hint"))),
          this.map.element,
          make("div", { class: "pictures" }, scored.figure, decoded.figure)),
        make("section", { class: "part-stage" },
          make("h3", {}, make("b", {}, text("stage")), " · ", this.magnified),
          this.stage.element),
        this.bars.element,
        make("section", { class: "part-panel" },
          this.table.element, this.score, buttons, this.sliders.element, this.note)),
      make("p", { class: "note", "data-role": "exact" }, exactSentence(text, this.exact)),
    );
    for (const name of BEST) this.table.show(name, null);
    this.table.show("encoder", this.exact);
    this.repaint();
    const asked = readNormal();
    if (asked) this.q = asked;
    this.update(asked ? "yours" : "encoder");
    this.endPresenting = followPresenting((on) => root.classList.toggle("presentation", on));
  }

  refreshTheme() {
    this.theme = readTheme(this.root);
    this.density = densityPicture(this.raster, channels(this.theme.z));
    this.repaint();
  }

  // What is seen

  /** @param {Viewport} view */
  fitView(view) {
    const { left, bottom, step, values } = this.raster;
    const [rows, columns] = values.shape;
    const [halfX, halfY] = [((columns - 1) * step) / 2, ((rows - 1) * step) / 2];
    view.fit(left + halfX, bottom + halfY, halfX, halfY);
  }

  fit() {
    this.stage.fit();
    this.viewMoved();
  }

  viewMoved() {
    this.stage.repaint();
    this.map.repaint();
  }

  /**
   * A click on the whole map brings that place under the magnifier.
   * @param {MouseEvent} event
   */
  lookAt(event) {
    const box = this.map.canvas.getBoundingClientRect();
    const zoom = box.width / this.map.view.width || 1;
    const [x, y] = this.map.view.toPlane((event.clientX - box.left) / zoom, (event.clientY - box.top) / zoom);
    Object.assign(this.stage.view, { x, y });
    this.stage.fitted = false;
    this.viewMoved();
  }

  repaint() {
    this.stage.repaint();
    this.map.repaint();
  }

  /** Where q can be gripped, in the stage's pixels. */
  handles() {
    return handlesOf(this.stage.view, this.q);
  }

  // What is done

  hold() {
    this.stopPlaying();
    this.held = true;
  }

  /** What was only touched stays what it was. */
  release() {
    this.held = false;
    this.update(this.who);
  }

  /** @param {Normal} q */
  drag(q) {
    this.q = bounded(q);
    this.who = "yours";
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.update("yours");
    });
  }

  /**
   * A step by key or slider.
   * @param {Normal} q
   */
  nudge(q) {
    this.stopPlaying();
    this.drag(q);
  }

  /** @param {Place} name */
  goTo(name) {
    this.stopPlaying();
    const places = { encoder: this.encoder, prior: PRIOR, diagonal: this.refined?.diagonal, full: this.refined?.full };
    const place = places[name];
    if (!place) return;
    this.q = { ...place };
    this.update(name);
  }

  /**
   * The numbers follow q: coarsely while it moves, until two rules agree once it rests.
   * @param {Who} who
   */
  update(who) {
    clearTimeout(this.resting);
    this.polishing = null;
    this.who = who;
    const q = { ...this.q };
    // The encoder's own q has its terms from the server, by a rule finer than any here.
    const known = who === "encoder";
    const { reconstruction, kl } = this.exact;
    this.terms = known ? { reconstruction, kl } : this.scorer.score(q, this.scorer.affordable(DRAG_MS));
    this.error = known ? 0 : NaN;
    this.updates++;
    this.show();
    this.model.picture(Float32Array.of(q.x, q.y), "mean", undefined, this.pixels);
    paintPicture(this.decoded, this.pixels, this.header.shape);
    // Shown once more at rest either way: fonts and sizes may have come since.
    this.resting = window.setTimeout(
      () => (known ? this.show() : this.polish(q, 0, this.terms.reconstruction)), REST_MS,
    );
  }

  /**
   * Take ever finer rules until two agree, in slices that leave the hand free.
   * @param {Normal} q
   * @param {number} level of NODES
   * @param {number} before the reconstruction by the rule before
   */
  polish(q, level, before) {
    const steps = this.scorer.steps(q, NODES[level]);
    this.polishing = steps;
    const slice = () => {
      if (this.polishing !== steps) return;
      const end = performance.now() + CHUNK_MS;
      let step = steps.next();
      while (!step.done && performance.now() < end) step = steps.next();
      if (!step.done) {
        this.resting = window.setTimeout(slice, 0);
        return;
      }
      this.terms = step.value;
      this.error = Math.abs(step.value.reconstruction - before);
      const settled = level > 0 && this.error < AGREED_NATS;
      if (settled || level === NODES.length - 1) {
        this.polishing = null;
        this.settled = true;
        this.show();
      } else this.polish(q, level + 1, step.value.reconstruction);
    };
    slice();
  }

  show() {
    const { terms, exact, refined } = this;
    this.settled = !Number.isNaN(this.error);
    const moving = this.held || Boolean(this.playing) || !this.settled;
    if (!moving) writeNormal(this.who === "encoder" ? null : this.q);
    this.table.show("yours", terms, this.settled ? this.error : 0);
    this.sliders.show(this.q);
    const total = terms.reconstruction + terms.kl;
    const gap = Math.max(0, exact.log_px + total);
    const pieces = [{ name: "whole", nats: gap }];
    const approximation = refined ? Math.max(0, exact.log_px - refined.diagonal.elbo) : 0;
    // A tilted q may do better than every upright one: then there is nothing to split.
    if (refined && gap > approximation - LOST) {
      pieces.splice(0, 1, { name: "approximation", nats: approximation }, { name: "amortisation", nats: Math.max(0, gap - approximation) });
    }
    this.bars.show({ ...terms, logPx: exact.log_px, pieces }, moving);
    this.bars.say(upperLine(this, total), lowerLine(this, gap, pieces));
    this.score.textContent = scoreSentence(this, total, LOST);
    this.buttons.encoder.setAttribute("aria-pressed", String(this.who === "encoder"));
    this.buttons.prior.setAttribute("aria-pressed", String(this.who === "prior"));
    for (const name of BEST) {
      this.buttons[name].hidden = !refined;
      this.buttons[name].setAttribute("aria-pressed", String(this.who === name));
    }
    this.repaint();
  }

  // The optimiser

  refine() {
    if (this.refined) {
      this.play();
      return;
    }
    this.buttons.refine.disabled = true;
    this.note.textContent = this.text("refining");
    this.host.refine();
  }

  /**
   * The server's answer: the path of q.
   * @param {import("./header.js").Refinement} message
   */
  receive(message) {
    const fresh = !this.refined && this.buttons.refine.disabled;
    /**
     * @param {import("./header.js").NormalHeader & {elbo: number}} best
     * @returns {Best}
     */
    const best = ({ mean, factor, elbo }) => {
      const normal = fromFactor({ mean, factor });
      const kl = this.model.prior.isStandard ? klToPrior(normal) : this.scorer.score(normal, NODES[1]).kl;
      return { ...normal, elbo, kl };
    };
    const refined = {
      diagonal: best(message.best_diagonal),
      full: best(message.best_full),
      paths: [message.diagonal.map(fromFactor), message.full.map(fromFactor)],
      jumped: message.jumped,
    };
    this.refined = refined;
    for (const name of BEST) {
      const { elbo, kl } = refined[name];
      this.table.show(name, { reconstruction: -elbo - kl, kl });
    }
    this.buttons.refine.disabled = false;
    this.note.textContent = this.text(refined.jumped ? "refined_jumped" : "refined");
    this.buttons.refine.textContent = this.text("go_replay");
    if (fresh) this.play();
    else this.show();
  }

  /** From the encoder's q along the optimiser's steps to the best diagonal and the best full q. */
  play() {
    this.stopPlaying();
    if (!this.refined) return;
    const { diagonal, full, paths } = this.refined;
    const stops = [...paths[0], diagonal, ...paths[1], full];
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.goTo("full");
      return;
    }
    const start = performance.now();
    /** @param {number} now */
    const step = (now) => {
      const place = Math.max(0, (now - start) / STEP_MS);
      const index = Math.floor(place);
      if (index >= stops.length - 1) {
        this.playing = 0;
        this.goTo("full");
        return;
      }
      this.playing = requestAnimationFrame(step);
      this.q = between(stops[index], stops[index + 1], place - index);
      this.update("yours");
    };
    this.playing = requestAnimationFrame(step);
  }

  stopPlaying() {
    cancelAnimationFrame(this.playing);
    this.playing = 0;
  }

  dispose() {
    this.stopPlaying();
    clearTimeout(this.resting);
    cancelAnimationFrame(this.pending);
    this.polishing = null;
    this.endPresenting();
    for (const part of [this.stage, this.map, this.bars]) part.dispose();
  }
}
