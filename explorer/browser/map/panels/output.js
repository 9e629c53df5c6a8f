import { isCollapsed } from "../../shared/asleep.js";
import { button, make, print, printVector } from "../../shared/dom.js";
import { paintPicture, storedPicture } from "../../shared/picture.js";
import { priorMass } from "../../shared/special.js";
import { norm } from "../geometry/paths.js";

/**
 * The picture that comes out: the mean of p(x|z), a sample of it, or its spread per pixel.
 * @typedef {import("../scene/app.js").App} App
 * @typedef {import("../scene/state.js").State} State
 *
 * @param {App} app
 */
export function buildOutputPanel(app) {
  const { text, store, model, header } = app;
  const canvas = make("canvas", { class: "picture", role: "img", "data-role": "output" });
  const where = make("span", { class: "muted" });
  /** @type {HTMLSelectElement} */
  const mode = make(
    "select",
    {
      "aria-label": text("output_mode"),
      title: text("output_mode"),
      onchange: () => store.set({ outputMode: /** @type {State["outputMode"]} */ (mode.value) }),
    },
    make("option", { value: "mean" }, text("output_mean")),
    make("option", { value: "sample" }, text("output_sample")),
    model.likelihood.deviationVaries && make("option", { value: "deviation" }, text("output_deviation")),
  );
  const redraw = button("↻", () => store.set({ seed: store.state.seed + 1 }), {
    title: text("output_redraw"),
    "aria-label": text("output_redraw"),
    "data-action": "redraw",
  });
  const readout = make("div", { class: "readout", "data-role": "point" });
  const note = make("p", { class: "note" });
  const element = make(
    "section",
    { class: "side part-output", "aria-label": text("output") },
    make("h3", {}, make("b", {}, text("output")), " · ", where),
    make("div", { class: "frame" }, canvas),
    make(
      "div",
      { class: "buttons" },
      !model.decodedPoints && !header.live && mode,
      redraw,
      model.hasPosterior &&
        button(text("sample_prior"), () => app.samplePrior(), { "data-action": "sample", title: text(model.prior.isStandard ? "sample_prior_help" : "sample_prior_mixture_help") }),
      button(text("pin"), () => app.addPin(), { "data-action": "pin", title: text("pin_help") }),
      button(text("reset"), () => app.reset(), { "data-action": "reset", title: text("reset_help") }),
    ),
    readout,
    note,
  );

  let [latest, shown] = [0, 0];
  /** @param {State} state */
  const paint = ({ z, hover, outputMode, seed }) => {
    const point = hover ? hover.z : z;
    latest += 1;
    const turn = latest;
    model.pictureSoon(point, outputMode, seed, (picture) => {
      // Pictures may come late, but none after a newer one.
      if (turn < shown) return;
      shown = turn;
      const top = outputMode === "deviation" ? deviationTop(model, picture) : 1;
      paintPicture(canvas, picture, header.shape, top);
      app.painted += 1;
    });
  };

  store.on(["z", "hover", "outputMode", "seed", "projection", "member"], (state) => {
    paint(state);
    const point = state.hover ? state.hover.z : state.z;
    mode.value = state.outputMode;
    redraw.hidden = state.outputMode !== "sample";
    where.textContent = whereOf(app, state);
    canvas.setAttribute("aria-label", text("output_label", { z: printVector(point) }));
    readout.replaceChildren(...pointLines(app, point, state.hover));
    note.textContent = noteOf(app, state);
  });
  return element;
}

/**
 * @param {App} app
 * @param {State} state
 */
function whereOf({ text, map }, { hover, outputMode }) {
  if (outputMode === "sample") return text("output_at_sample");
  if (outputMode === "deviation") return text("output_at_deviation");
  if (hover && !map.projection.isSpace) return text("output_at_nearest");
  return text(hover ? "output_at_hover" : "output_at_z");
}

/**
 * @param {App["model"]} model
 * @param {Float32Array} picture
 */
function deviationTop(model, picture) {
  return model.likelihood.deviationTop ?? picture.reduce((a, b) => Math.max(a, b), 1e-6);
}

/**
 * @param {App} app
 * @param {State} state
 */
function noteOf({ text, model, header }, { outputMode }) {
  if (header.live) return "";
  if (model.decodedPoints) return text("output_atlas", { count: model.decodedPoints });
  if (outputMode === "deviation") {
    const top = model.likelihood.deviationTop;
    return top ? text("deviation_note", { top: print(top, 1) }) : text("deviation_note_relative");
  }
  const oneSigma = !model.likelihood.deviationVaries && model.sigma2;
  return oneSigma ? text("one_sigma", { sigma: print(Math.sqrt(oneSigma), 3) }) : "";
}

/**
 * @param {App} app
 * @param {Float32Array} z
 * @param {State["hover"]} hover
 */
function pointLines(app, z, hover) {
  const { text, model, size, labels, header } = app;
  const lines = [make("div", { class: "formula" }, make("span", { class: "z" }, "z"), ` = ${printVector(z)}`)];
  const parts = [];
  if (model.hasPosterior && model.prior.isStandard) {
    const length = norm(z);
    const inside = 100 * priorMass(length, size);
    const percent = inside > 99.5 ? inside.toFixed(inside > 99.95 ? 2 : 1) : inside.toFixed(0);
    parts.push(text("norm", { norm: print(length), percent }));
    if (size > 3) parts.push(text("norm_expected", { norm: print(Math.sqrt(size - 0.5), 1) }));
  }
  const code = hover?.index ?? app.nearestCode(z);
  if (code >= 0 && labels && !isCollapsed(app.kl)) {
    parts.push(text("nearest_class", { name: header.classes[labels[code]] ?? String(labels[code]) }));
  }
  lines.push(make("div", {}, parts.join(" · ")));
  return lines;
}

/**
 * A small card beside the pointer: the picture of the code under it.
 * @param {App} app
 */
export function buildTooltip(app) {
  const { store, header, model, text } = app;
  const canvas = make("canvas", {});
  const label = make("span", {});
  const element = make("div", { class: "tooltip", hidden: true, "data-role": "tooltip" }, canvas, label);
  let shown = -1;
  store.on(["hover"], ({ hover }) => {
    const near = hover?.near ?? -1;
    element.hidden = near < 0;
    if (element.hidden || !hover) {
      shown = -1;
      return;
    }
    const { x, y } = hover.screen;
    const right = x > app.map.view.width - 110;
    element.style.left = `${x + (right ? -96 : 16)}px`;
    element.style.top = `${Math.max(4, Math.min(app.map.view.height - 96, y - 40))}px`;
    if (near === shown) return;
    shown = near;
    const id = app.idOf(near);
    const stored = app.pictureOf.get(id);
    if (stored !== undefined && header.pictures) {
      paintPicture(canvas, storedPicture(header.pictures.pixels, stored, model.pixelCount), header.shape);
    } else {
      model.picturesSoon("tooltip", [app.codeAt(near)], (_, picture) => {
        if (near === shown) paintPicture(canvas, picture, header.shape);
      });
    }
    const name = app.labels ? (header.classes[app.labels[near]] ?? String(app.labels[near])) : "";
    label.textContent = text(stored === undefined ? "tooltip_decoded" : "tooltip_image", { id, name });
  });
  return element;
}
