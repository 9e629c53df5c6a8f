import { standsAt } from "./state.js";

/**
 * Models that differ in β alone, their latents matched by the server: which is shown, and how.
 * @typedef {import("./app.js").App} App
 */

/**
 * A model of the sweep arrived: keep it in order of β.
 * @param {App} app
 * @param {import("../../model/header.js").Member} member
 */
export function addMember(app, member) {
  const { members, member: index } = app.store.state;
  // The server decodes with the model that the page was opened for.
  if (!("become" in app.model)) return;
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

/**
 * Whether the model that is shown is the one that the page was opened for.
 * @param {Pick<App, "store" | "header">} app
 */
export function showsReference(app) {
  const { members, member } = app.store.state;
  return members.length < 2 || member < 0 || members[member].id === app.header.id;
}

/**
 * Become the i-th model of the sweep; the view, the layers and the chosen picture stay.
 * @param {App} app
 * @param {number} index
 */
export function showMember(app, index) {
  const { store, map, header } = app;
  const member = store.state.members[index];
  const { model } = app;
  if (!member || index === store.state.member || !("become" in model)) return;
  Object.assign(header, { codes: member.codes, figures: member.figures });
  model.become({ ...header, networks: member.networks, likelihood: member.likelihood });
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
  const follows = Boolean(input && standsAt(z, input.mean));
  if (input) app.setInput(input, follows);
  map.repaint();
  map.refreshTiles();
}
