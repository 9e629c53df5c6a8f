import { button, latentName, make } from "../../shared/dom.js";
import { paintPicture } from "../../shared/picture.js";
import { saveSheet } from "./path.js";

const COLUMNS = 9;
const MAX_ROWS = 32;
const REACH = 3;

/**
 * Every latent in turn from −3 to 3 (or over the codes' range), the others held at z.
 * @typedef {import("../scene/app.js").App} App
 *
 * @param {App} app
 */
export function buildTraversalPanel(app) {
  const { text, store, header, model, order } = app;
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
  const points = () => cells.flatMap(({ index }) => pointsOf(app, index));
  const save = button(text("traversal_png"), () => saveSheet(app, points(), COLUMNS, "traversal"), {
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
    timer = window.setTimeout(() => {
      const canvases = cells.flatMap((cell) => cell.canvases);
      model.picturesSoon("traversal", points(), (n, picture) => paintPicture(canvases[n], picture, header.shape));
    }, 30);
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
 * One latent on its way, the others as they are.
 * @param {App} app
 * @param {number} index
 */
function pointsOf(app, index) {
  return Array.from({ length: COLUMNS }, (_, c) => {
    const z = app.store.state.z.slice();
    z[index] = valueAt(app, index, c);
    return z;
  });
}
