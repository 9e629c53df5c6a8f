import { button, make } from "../../shared/dom.js";
import { latentName } from "../../shared/marks.js";
import { paintPicture } from "../../shared/picture.js";
import { saveSheet } from "./path.js";

const COLUMNS = 9;
const MAX_ROWS = 32;
const REACH = 3;

/**
 * Every latent in turn from −3 to 3 (or over the codes' range), the others held at z.
 * @typedef {import("../scene/app.js").App} App
 * @typedef {import("../../model/model.js").Model} Model
 *
 * @param {App} app
 * @param {Model} model
 */
export function buildTraversalPanel(app, model) {
  const { text, store, header, order } = app;
  const shown = order.slice(0, MAX_ROWS);
  const sheet = make("div", { class: "traversal", "data-role": "traversal" });
  const cells = shown.map((index) => {
    const name = make("span", { class: "z" });
    const row = make("div", { class: "traversal-row" }, name);
    const canvases = Array.from({ length: COLUMNS }, (_, c) => {
      const canvas = make("canvas", {});
      const go = button("", () => {
        app.setLatent(index, valueAt(app, index, c));
        app.commit();
      }, { class: "thumb", title: `${latentName(index)} = ${valueAt(app, index, c).toFixed(2)}` });
      go.append(canvas);
      row.append(go);
      return canvas;
    });
    sheet.append(row);
    return { index, name, canvases };
  });
  store.on(["member"], () => {
    for (const { index, name } of cells) {
      name.textContent = app.kl ? `${latentName(index)} · ${app.kl[index].toFixed(2)}` : latentName(index);
    }
  });
  const save = button(text("traversal_png"), () => saveSheet(app, cells.map(({ index }) => picturesOf(app, model, index)), "traversal"), {
    "data-action": "traversal-png",
  });
  const element = make(
    "div",
    {},
    make("div", { class: "row" }, make("p", { class: "note" }, text("traversal_note")), save),
    sheet,
  );
  let timer = 0;
  store.on(["tab", "z", "member"], ({ tab }) => {
    if (tab !== "traversal") return;
    clearTimeout(timer);
    let row = 0;
    const work = () => {
      const until = performance.now() + 8;
      for (; row < cells.length && performance.now() < until; row++) {
        const { index, canvases } = cells[row];
        picturesOf(app, model, index).forEach((picture, c) => paintPicture(canvases[c], picture, header.shape));
      }
      if (row < cells.length) timer = window.setTimeout(work, 16);
    };
    timer = window.setTimeout(work, 30);
  });
  return element;
}

/**
 * @param {App} app
 * @param {number} index
 * @param {number} column
 */
function valueAt({ header, model }, index, column) {
  const { low, high } = header.codes ?? {};
  const isOwn = (model.hasPosterior && model.prior.isStandard) || !low || !high;
  const [from, to] = isOwn ? [-REACH, REACH] : [low[index], high[index]];
  return from + ((to - from) * column) / (COLUMNS - 1);
}

/**
 * @param {App} app
 * @param {Model} model
 * @param {number} index
 */
function picturesOf(app, model, index) {
  const z = app.store.state.z.slice();
  return Array.from({ length: COLUMNS }, (_, c) => {
    z[index] = valueAt(app, index, c);
    return model.picture(z);
  });
}
