import { button, download, latentName, make, print } from "../../shared/dom.js";
import { paintPicture, storedPicture } from "../../shared/picture.js";
import { classColour } from "../../shared/theme.js";
import { tellFactor } from "../geometry/factors.js";
import { selectionCsv } from "../geometry/selection.js";
import { showsReference } from "../scene/sweep.js";

const GALLERY = 60;

/**
 * What was selected: pictures, counts per class, how its codes differ from the rest, files.
 * @typedef {import("../scene/app.js").App} App
 * @typedef {import("../scene/state.js").Selection} Selection
 *
 * @param {App} app
 */
export function buildSelectionPanel(app) {
  const { text, store, host, header } = app;
  const title = make("b", { "data-role": "selected" });
  const counts = make("div", { class: "counts" });
  const gallery = make("div", { class: "gallery", "data-role": "gallery" });
  const table = make("table", {});
  const csv = button("CSV", () => {
    const { indices } = store.state.selection ?? { indices: [] };
    download(`${fileName(header)}-codes.csv`, new Blob([selectionCsv(app, indices)], { type: "text/csv" }));
  }, { title: text("selection_csv"), "data-action": "csv" });
  const parquet = host.kind === "streamlit" && button("Parquet", () => {
    const { indices } = store.state.selection ?? { indices: [] };
    app.host.trigger("export", { kind: "parquet", ids: indices.map((i) => app.idOf(i)) });
  }, { title: text("selection_parquet"), "data-action": "parquet" });
  const clear = button(text("selection_clear"), () => app.clearSelection(), { "data-action": "clear-selection" });
  const body = make(
    "div",
    { class: "selection" },
    make("div", { class: "row" }, title, make("span", { class: "buttons" }, csv, parquet, clear)),
    counts,
    make("div", { class: "selection-columns" }, gallery, make("div", { class: "statistics" }, table)),
    make("p", { class: "note" }, text("selection_note")),
  );
  const empty = make("p", { class: "note" }, text("selection_empty"));
  const element = make("div", {}, body, empty);

  store.on(["selection", "member"], ({ selection }) => {
    // The server exports the model that the page was opened for.
    if (parquet) parquet.hidden = !showsReference(app);
    body.hidden = !selection;
    empty.hidden = Boolean(selection);
    if (!selection) return;
    const share = (100 * selection.indices.length) / app.count;
    title.textContent = text("selection_count", { count: selection.indices.length, percent: print(share, 1) });
    counts.replaceChildren(...countBars(app, selection));
    gallery.replaceChildren(...thumbs(app, selection));
    table.replaceChildren(...statistics(app, selection));
  });
  app.saveFile = ({ name, data, type }) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    download(name, new Blob([bytes], { type }));
  };
  return element;
}

/** @param {App["header"]} header */
const fileName = (header) => header.id.replaceAll("/", "-");

/**
 * @param {App} app
 * @param {Selection} selection
 */
function countBars({ header }, { counts, indices }) {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([label, number]) =>
      make(
        "span",
        { class: "count", title: `${number}` },
        make("i", { style: `background:${classColour(label)};width:${Math.max(3, (90 * number) / indices.length)}px` }),
        `${header.classes[label] ?? label}: ${number}`,
      ),
    );
}

/**
 * @param {App} app
 * @param {Selection} selection
 */
function thumbs(app, { indices }) {
  const { header, model, text } = app;
  const step = Math.max(1, Math.floor(indices.length / GALLERY));
  const shown = indices.filter((_, n) => n % step === 0).slice(0, GALLERY);
  /** @type {[HTMLCanvasElement, Float32Array][]} pictures that are not at hand, and where they go */
  const missing = [];
  const buttons = shown.map((i) => {
    const id = app.idOf(i);
    const stored = app.pictureOf.get(id);
    const canvas = make("canvas", {});
    if (stored !== undefined && header.pictures) {
      paintPicture(canvas, storedPicture(header.pictures.pixels, stored, model.pixelCount), header.shape);
    } else missing.push([canvas, app.codeAt(i)]);
    const name = app.labels ? (header.classes[app.labels[i]] ?? String(app.labels[i])) : "";
    const title = text(stored === undefined ? "tooltip_decoded" : "tooltip_image", { id, name });
    const go = button("", () => {
      if (stored !== undefined) app.choosePicture(stored);
      else app.setZ(app.codeAt(i));
      app.commit();
    }, { class: "thumb", title, "aria-label": title, "data-id": id });
    go.append(canvas);
    return go;
  });
  const points = missing.map(([, z]) => z);
  model.picturesSoon("selection", points, (n, picture) => paintPicture(missing[n][0], picture, header.shape));
  return buttons;
}

/**
 * @param {App} app
 * @param {Selection} selection
 */
function statistics({ text, order, factors, count }, { latents, indices }) {
  const head = ["", text("selection_selected"), text("selection_rest")];
  const rows = order.slice(0, 12).map((index) => {
    const { mean, deviation, restMean, restDeviation } = latents[index];
    /**
     * @param {number} m
     * @param {number} s
     */
    const cell = (m, s) => (Number.isNaN(m) ? "–" : `${print(m)} ± ${Number.isNaN(s) ? "–" : print(s)}`);
    return [latentName(index), cell(mean, deviation), cell(restMean, restDeviation)];
  });
  const chosen = new Set(indices);
  const rest = factors.length ? Array.from({ length: count }, (_, i) => i).filter((i) => !chosen.has(i)) : [];
  const known = factors.map((factor) => [factor.name, tellFactor(factor, indices), tellFactor(factor, rest)]);
  return [
    make("tr", {}, ...head.map((name) => make("th", {}, name))),
    ...[...rows, ...known].map((row) => make("tr", {}, ...row.map((value) => make("td", {}, value)))),
  ];
}
