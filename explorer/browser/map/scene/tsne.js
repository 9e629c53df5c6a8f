import { fromBase64 } from "../../shared/base64.js";

/** @typedef {import("./app.js").App} App */

/**
 * Ask the server for a t-SNE of the codes; it takes a while and is kept.
 * @param {Pick<App, "store" | "tsne" | "host" | "notify">} app
 */
export function askProjection(app) {
  const { store } = app;
  // The menu goes back to what is shown until the answer is here.
  store.set({ projection: { ...store.state.projection } });
  if (app.tsne) return store.set({ projection: app.tsne });
  app.host.trigger("project", { kind: "tsne" });
  app.notify("projection_started");
}

/**
 * What the server says of it: how far, failed, or the plane.
 * @typedef {object} ProjectionMessage
 * @property {string} of the model whose codes they are
 * @property {boolean} [failed]
 * @property {number} [percent]
 * @property {string} [xs] base64 of 32-bit floats
 * @property {string} [ys]
 *
 * @param {Pick<App, "store" | "tsne" | "header" | "notify">} app
 * @param {ProjectionMessage} message
 */
export function receiveProjection(app, { percent, xs = "", ys = "", failed, of }) {
  if (of !== app.header.id || app.tsne) return;
  if (failed) return app.notify("projection_failed");
  if (percent !== undefined) return app.notify("projection_working", { percent });
  /** @type {import("../geometry/projection.js").Projection} */
  const computed = { kind: "tsne", dims: [], isSpace: false, xs: readFloats(xs), ys: readFloats(ys) };
  app.tsne = { kind: "tsne", dims: [], computed };
  app.store.set({ projection: app.tsne, notice: "" });
}

/** @param {string} text */
const readFloats = (text) => new Float32Array(fromBase64(text).buffer);
