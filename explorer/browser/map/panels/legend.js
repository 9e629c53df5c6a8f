import { button, contextOf, latentName, make } from "../../shared/dom.js";
import { classColour } from "../../shared/theme.js";
import { buildColouring } from "./colouring.js";
import { drawGlyph } from "../plane/glyphs.js";
import { showsReference } from "../scene/sweep.js";

/**
 * The chips under the map: layers on and off, tools, and one per class.
 * @typedef {import("../scene/app.js").App} App
 *
 * @param {App} app
 */
export function buildLegend(app) {
  const { text, store, model, map, size } = app;
  const names = [
    app.count && "points",
    "manifold",
    model.hasPosterior && "prior",
    model.hasPosterior && "posterior",
    app.count && "density",
    "path",
    app.labels && size > 1 && "numerals",
    map.points.canDrawGlyphs && "glyphs",
  ].filter((name) => typeof name === "string");
  const layers = names.map((name) => {
    const words = name === "prior" && !model.prior.isStandard ? "prior_mixture" : name;
    return chip(text(`layer_${words}`), text(`layer_${words}_help`), name, () => {
      const { layers: now } = store.state;
      store.set({ layers: { ...now, [name]: !now[name] } });
    });
  });
  const tools = app.count
    ? ["lasso", "box"].map((tool) => {
        const label = `${tool === "lasso" ? "✎" : "⬚"} ${text(`tool_${tool}`)}`;
        return button(label, () => store.set({ tool: store.state.tool === tool ? "hover" : tool }), {
          class: "chip tool",
          title: text(`tool_${tool}_help`),
          "data-tool": tool,
          "aria-pressed": "false",
        });
      })
    : [];
  /** @type {HTMLElement[]} */
  let classes = [];
  const classRow = make("div", { class: "chips classes", role: "group", "aria-label": text("classes") });
  const projection = size > 2 ? projectionChoice(app) : null;
  const element = make(
    "div",
    { class: "legend part-legend" },
    make("div", { class: "chips" }, projection, ...layers, ...tools, buildColouring(app)),
    classRow,
  );
  store.on(["colour", "member"], () => {
    classes = presentClasses(app).map((label) => classChip(app, label));
    classes.forEach((element_) => element_.classList.toggle("glyphs", store.state.layers.glyphs));
    classRow.replaceChildren(...classes);
    classRow.classList.toggle("many", classes.length > 12 || app.groupNames.some((name) => name.length > 10));
  });
  store.on(["layers", "projection", "path"], ({ layers: now, projection: choice, path }) => {
    layers.forEach((element_, i) => {
      element_.setAttribute("aria-pressed", String(now[names[i]]));
      const spaceOnly = ["manifold", "prior", "posterior", "path"].includes(names[i]);
      const absent = names[i] === "path" && !path;
      element_.hidden = absent || (spaceOnly && choice.kind !== "pair");
    });
    classes.forEach((element_) => element_.classList.toggle("glyphs", now.glyphs));
  });
  store.on(["tool"], ({ tool }) => {
    tools.forEach((element_) => element_.setAttribute("aria-pressed", String(element_.dataset.tool === tool)));
    map.top.classList.toggle("selecting", tool !== "hover");
  });
  store.on(["hidden", "colour", "member"], ({ hidden }) => {
    classes.forEach((element_) => element_.setAttribute("aria-pressed", String(!hidden.has(Number(element_.dataset.label)))));
  });
  return element;
}

/**
 * @param {string} label
 * @param {string} help
 * @param {string} layer
 * @param {() => void} onclick
 */
function chip(label, help, layer, onclick) {
  return button(label, onclick, { class: "chip", title: help, "data-layer": layer, "aria-pressed": "false" });
}

/** @param {App} app */
function presentClasses({ groups }) {
  return [...new Set(Array.from(groups ?? []))].sort((a, b) => a - b);
}

/**
 * @param {App} app
 * @param {number} label
 */
function classChip(app, label) {
  const { store, groupNames, text } = app;
  const name = groupNames[label] ?? String(label);
  const disc = make("i", { style: `background:${classColour(label)}` });
  const glyph = make("canvas", { width: 24, height: 24 });
  const context = contextOf(glyph);
  context.fillStyle = context.strokeStyle = classColour(label);
  drawGlyph(context, label, 12, 12, 8);
  /** @param {MouseEvent} event */
  const toggle = (event) => {
    const { hidden } = store.state;
    let next = new Set(hidden);
    if (event.shiftKey || event.detail === 2) {
      // Only this one; again, all of them.
      const others = presentClasses(app).filter((other) => other !== label);
      next = others.every((other) => hidden.has(other)) && !hidden.has(label) ? new Set() : new Set(others);
    } else if (!next.delete(label)) next.add(label);
    store.set({ hidden: next });
  };
  const element = button("", toggle, {
    class: "chip class",
    "data-label": label,
    title: text("class_help", { name }),
    "aria-pressed": "true",
  });
  element.append(disc, glyph, name);
  return element;
}

/**
 * More than two latents: which pair the map shows, or a projection of them all.
 * @param {App} app
 */
function projectionChoice(app) {
  const { store, text, size, order } = app;
  const options = order.map((index) => [String(index), latentName(index)]);
  /** @param {string} slot */
  const select = (slot) =>
    make(
      "select",
      { class: "chip", "aria-label": text(`axis_${slot}`), "data-axis": slot, onchange: () => choose() },
      ...options.map(([value, name]) => make("option", { value }, name)),
    );
  const [first, second] = [select("x"), select("y")];
  const kinds = [["pair", text("map_pair")]];
  if (app.count > 2) kinds.push(["pca", "PCA"]);
  if (app.count > 10 && app.host.kind === "streamlit") kinds.push(["tsne", "t-SNE"]);
  const kind = make(
    "select",
    { class: "chip", "aria-label": text("map_kind"), title: text("map_kind_help"), "data-axis": "kind", onchange: () => choose() },
    ...kinds.map(([value, name]) => make("option", { value }, name)),
  );
  const choose = () => {
    if (kind.value === "pca") return store.set({ projection: { kind: "pca", dims: [] } });
    if (kind.value === "tsne" && showsReference(app)) return app.askProjection();
    let [a, b] = [Number(first.value), Number(second.value)];
    if (a === b) b = (a + 1) % size;
    store.set({ projection: { kind: "pair", dims: [a, b] } });
  };
  store.on(["projection", "member"], ({ projection }) => {
    // The server's t-SNE is of the codes that the page was opened with.
    for (const option of kind.options) option.hidden = option.value === "tsne" && !showsReference(app);
    kind.value = projection.kind;
    first.hidden = second.hidden = projection.kind !== "pair";
    if (projection.kind === "pair") [first.value, second.value] = projection.dims.map(String);
  });
  return make("span", { class: "axes" }, kind, first, second);
}
