import { latentName, make, print } from "../../shared/dom.js";
import { buildSweepSlider } from "./sweep.js";

/**
 * One slider per latent, the most active first, each with its KL and where the codes lie.
 * @typedef {import("../scene/app.js").App} App
 *
 * @param {App} app
 */
export function buildSliders(app) {
  const { text, store, kl, order, header, model } = app;
  const codes = header.codes;
  const top = kl ? Math.max(...kl, 1e-6) : 0;
  const rows = order.map((index) => {
    const [low, high] = codes?.low && codes.high ? [codes.low[index], codes.high[index]] : [-2, 2];
    const reach = rangeOf(model, low, high);
    const value = make("output", { class: "value" });
    /** @type {HTMLInputElement} */
    const slider = make("input", {
      type: "range",
      min: reach[0],
      max: reach[1],
      step: (reach[1] - reach[0]) / 1000,
      "aria-label": text("slider_label", { name: latentName(index) }),
      "data-latent": index + 1,
      oninput: () => app.setLatent(index, Number(slider.value)),
      onchange: () => app.commit(),
    });
    /** @param {number} v */
    const at = (v) => `${((100 * (v - reach[0])) / (reach[1] - reach[0])).toFixed(2)}%`;
    const bar = kl ? klBar(text) : null;
    const row = make("div", { class: "slider-row" }, make("label", { class: "z" }, latentName(index)), slider, value, bar?.cell);
    return { index, slider, value, row, bar, at };
  });
  const list = make("div", { class: "slider-list", tabindex: rows.length > 4 ? 0 : undefined }, ...rows.map(({ row }) => row));
  const element = make(
    "section",
    { class: "part-sliders", "aria-label": text("sliders") },
    make("h3", {}, make("b", {}, text("sliders")), make("span", { class: "muted" }, ` · ${text(kl ? "sliders_by_kl" : "sliders_by_spread")}`)),
    list,
    ...buildSweepSlider(app),
    make("p", { class: "note" }, text(rows.length > 4 ? "sliders_note_more" : "sliders_note", { count: rows.length })),
  );
  store.on(["member"], () => {
    // A model of the sweep has its own KL and its own spread of codes.
    const { low, high } = header.codes ?? {};
    const largest = Math.max(top, ...(app.kl ?? []));
    for (const { index, slider, bar, at } of rows) {
      slider.style.setProperty("--low", at(low ? low[index] : 0));
      slider.style.setProperty("--high", at(high ? high[index] : 0));
      if (bar && app.kl) setKl(text, bar, app.kl[index], largest);
    }
  });
  store.on(["z", "hover"], ({ z, hover }) => {
    const point = hover ? hover.z : z;
    for (const { index, slider, value } of rows) {
      slider.value = String(point[index]);
      value.textContent = print(point[index]);
    }
  });
  return element;
}

/** @param {App["text"]} text */
function klBar(text) {
  const filled = make("span", { class: "kl-bar" });
  const words = make("span", { class: "kl-text" }, text("kl_value", { nats: "" }));
  const cell = make("span", { class: "kl-cell" }, make("span", { class: "kl-track" }, filled), words);
  return { cell, filled, words };
}

/**
 * @param {App["text"]} text
 * @param {ReturnType<typeof klBar>} bar
 * @param {number} nats
 * @param {number} largest of all latents
 */
function setKl(text, { cell, filled, words }, nats, largest) {
  cell.title = text("kl_help", { nats: print(nats, 3) });
  filled.style.width = `${Math.max(1, (100 * nats) / largest).toFixed(1)}%`;
  words.textContent = text("kl_value", { nats: print(nats) });
}

/**
 * A little beyond the codes, and at least ±3.5 where the prior is N(0, 1).
 * @param {{hasPosterior: boolean}} model
 * @param {number} low
 * @param {number} high
 */
function rangeOf(model, low, high) {
  const margin = 0.35 * (high - low) || 1;
  if (!model.hasPosterior) return [low - margin, high + margin];
  return [Math.min(-3.5, low - margin), Math.max(3.5, high + margin)];
}
