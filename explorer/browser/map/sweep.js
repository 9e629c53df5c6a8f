import { make, print } from "../shared/dom.js";
import { Model } from "../model/model.js";
import { joinSentences } from "../shared/text.js";

/**
 * β as one more slider: it moves through models that differ in β alone, their latents matched by
 * the server. It appears once a second model has arrived.
 */
export function buildSweepSlider(app) {
  const { text, store } = app;
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
    slider.max = members.length - 1;
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

const trim = (beta) => print(beta, 3).replace(/\.?0+$/, "");

/** A model of the sweep arrived: keep it in order of β. */
export function addMember(app, member) {
  const { members, member: index } = app.store.state;
  if (member.of !== app.header.id || members.some(({ id }) => id === member.id)) return;
  const shown = members[index]?.id ?? app.header.id;
  const next = [...members, member].sort((a, b) => a.figures.beta - b.figures.beta);
  // −1 until the model that is shown has come as a member: the slider waits for it.
  app.store.set({ members: next, member: next.findIndex(({ id }) => id === shown) });
  const wanted = next.findIndex(({ figures }) => figures.beta === app.wantedBeta);
  if (wanted >= 0 && app.store.state.member >= 0) {
    app.wantedBeta = undefined;
    showMember(app, wanted);
  }
}

/** Whether the model that is shown is the one that the page was opened for. */
export function showsReference(app) {
  const { members, member } = app.store.state;
  return members.length < 2 || member < 0 || members[member].id === app.header.id;
}

/** Become the i-th model of the sweep; the view, the layers and the chosen picture stay. */
export function showMember(app, index) {
  const { store, map, header } = app;
  const member = store.state.members[index];
  if (!member || index === store.state.member) return;
  Object.assign(header, { codes: member.codes, figures: member.figures });
  Object.assign(app.model, new Model({ ...header, networks: member.networks, likelihood: member.likelihood }));
  const view = map.view.copy();
  const { fitted } = map;
  const order = app.order;
  app.readCodes();
  // Rows stay where they are: only their bars move.
  app.order = order;
  map.tiles.forget();
  const { projection } = store.state;
  const choice = projection.kind === "tsne" ? app.initialState().projection : projection;
  app.project(choice);
  if (!fitted) Object.assign(map.view, view);
  map.fitted = fitted;
  // A selection is of codes, and these are others.
  store.set({ member: index, path: null, selection: null, projection: choice });
  // z goes with the picture while it stands at its code; a point that was chosen stays.
  const { input, z } = store.state;
  const follows = input?.mean?.every((value, i) => value === z[i]);
  if (input) app.setInput(input, follows);
  map.repaint();
  map.refreshTiles();
}
