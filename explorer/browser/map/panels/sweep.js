import { make, print } from "../../shared/dom.js";
import { joinSentences } from "../../shared/text.js";

/**
 * β as one more slider: it moves through models that differ in β alone, their latents matched by
 * the server. It appears once a second model has arrived.
 * @param {import("../scene/app.js").App} app
 */
export function buildSweepSlider(app) {
  const { text, store } = app;
  /** @type {HTMLInputElement} */
  const slider = make("input", {
    type: "range",
    min: 0,
    step: 1,
    "aria-label": text("beta_label"),
    "data-role": "beta",
    oninput: () => app.showMember(Number(slider.value)),
    onchange: () => app.commit(),
  });
  const value = make("output", { class: "value" });
  const range = make("span", { class: "kl-text" });
  const row = make("div", { class: "slider-row beta" }, make("label", {}, "β"), slider, value, range);
  const note = make("p", { class: "note" });
  store.on(["members", "member"], ({ members, member }) => {
    row.hidden = note.hidden = members.length < 2 || member < 0;
    if (row.hidden) return;
    const betas = members.map(({ figures }) => figures.beta);
    slider.max = String(members.length - 1);
    slider.value = String(member);
    value.textContent = trim(betas[member]);
    range.textContent = text("beta_range", { low: trim(betas[0]), high: trim(betas[betas.length - 1]) });
    slider.setAttribute("aria-valuetext", trim(betas[member]));
    const moved = members.some((entry) => entry.moved);
    const other = members.some((entry) => entry.otherNetwork);
    const sentences = [text("beta_note", { count: members.length })];
    if (moved) sentences.push(text("beta_note_moved"));
    if (other) sentences.push(text("beta_note_other"));
    note.textContent = joinSentences(app.header.language, sentences);
  });
  return [row, note];
}

/** @param {number} beta */
const trim = (beta) => print(beta, 3).replace(/\.?0+$/, "");
