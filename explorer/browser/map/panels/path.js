import { button, contextOf, download, make } from "../../shared/dom.js";
import { paintPicture } from "../../shared/picture.js";
import { createRandom } from "../../shared/random.js";
import { walk } from "../geometry/paths.js";
import { encodeGif } from "./gif.js";

const FRAMES = 17;
const SHOWN = 9;
const FRAME_MS = 90;

/**
 * From pin to pin: the way, its frames, a film of it, and files to take along.
 * @typedef {import("../scene/app.js").App} App
 * @typedef {import("../scene/state.js").Pin} Pin
 * @typedef {import("../scene/state.js").State} State
 *
 * @param {App} app
 */
export function buildPathPanel(app) {
  const { text, store } = app;
  let timer = 0;
  const chips = make("span", { class: "chips pins" });
  const ways = /** @type {State["pathKind"][]} */ (["lerp", "slerp"]).map((kind) =>
    button(text(`way_${kind}`), () => store.set({ pathKind: kind }), {
      class: "chip",
      title: text(`way_${kind}_help`),
      "data-way": kind,
    }),
  );
  const play = button(text("path_play"), () => (timer ? stop() : start()), { "data-action": "play" });
  const gif = button("GIF", () => saveGif(app), { title: text("path_gif"), "data-action": "gif" });
  const png = button("PNG", () => savePng(app), { title: text("path_png"), "data-action": "png" });
  const controls = make("span", { class: "buttons" }, ...ways, play, gif, png);
  const strip = make("div", { class: "strip", "data-role": "strip" });
  const empty = make(
    "p",
    { class: "note" },
    text("path_empty"),
    " ",
    button(text("path_random"), () => randomPins(app), { class: "link", "data-action": "random-pins" }),
  );
  const element = make("div", {}, make("div", { class: "row" }, chips, controls), strip, empty);

  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = text("path_play");
  };
  const start = () => {
    let [n, step] = [0, 1];
    play.textContent = text("path_stop");
    timer = window.setInterval(() => {
      const { path } = store.state;
      if (!path || !element.isConnected) return stop();
      if (n + step < 0 || n + step >= path.frames.length) step = -step;
      n += step;
      store.set({ path: { ...path, current: n } });
      app.setZ(path.frames[n].slice());
    }, FRAME_MS);
  };

  store.on(["pins", "pathKind", "member"], ({ pins, pathKind }) => {
    const path = pins.length < 2 ? null : { frames: framesOf(pins, pathKind), current: -1 };
    store.set({ path });
    if (!path) stop();
    chips.replaceChildren(...pins.map((pin) => pinChip(app, pin)));
    ways.forEach((way) => way.setAttribute("aria-pressed", String(way.dataset.way === pathKind)));
    controls.hidden = strip.hidden = !path;
    empty.hidden = Boolean(path);
    strip.replaceChildren();
    if (path) paintStrip(app, strip, path);
  });
  return element;
}

/**
 * @param {App} app
 * @param {HTMLElement} holder
 * @param {NonNullable<State["path"]>} path
 */
function paintStrip(app, holder, path) {
  const { store, header, text, model } = app;
  const places = Array.from({ length: SHOWN }, (_, n) => Math.round((n * (path.frames.length - 1)) / (SHOWN - 1)));
  const canvases = places.map((index) => {
    const canvas = make("canvas", {});
    const go = button("", () => {
      store.set({ path: { ...path, current: index } });
      app.setZ(path.frames[index].slice());
      app.commit();
    }, { class: "thumb", "aria-label": text("path_frame", { n: index + 1 }) });
    go.append(canvas);
    holder.append(go);
    return canvas;
  });
  const points = places.map((index) => path.frames[index]);
  model.picturesSoon("strip", points, (n, picture) => paintPicture(canvases[n], picture, header.shape));
}

/**
 * Through all pins in turn.
 * @param {Pin[]} pins
 * @param {State["pathKind"]} kind
 */
function framesOf(pins, kind) {
  const frames = [pins[0].z];
  for (let i = 1; i < pins.length; i++) {
    frames.push(...walk(kind, pins[i - 1].z, pins[i].z, FRAMES).slice(1));
  }
  return frames;
}

/**
 * @param {App} app
 * @param {Pin} pin
 */
function pinChip(app, pin) {
  const { text } = app;
  return make(
    "span",
    { class: "chip pin", "data-pin": pin.name },
    button(pin.name, () => {
      app.setZ(pin.z.slice());
      app.commit();
    }, { class: "plain", title: text("pin_go", { name: pin.name }) }),
    button("×", () => app.removePin(pin.name), {
      class: "plain",
      title: text("pin_remove", { name: pin.name }),
      "aria-label": text("pin_remove", { name: pin.name }),
    }),
  );
}

/**
 * Two codes (or draws of the prior) as pins, for whom has none yet.
 * @param {App} app
 */
function randomPins(app) {
  const random = createRandom(Date.now());
  while (app.store.state.pins.length < 2) {
    const code = Math.floor(random.uniform() * app.count);
    app.addPin(app.count ? app.codeAt(code) : app.model.prior.sample(app.size, random));
  }
}

/**
 * Call `use` with the pictures at all points, once they are decoded.
 * @param {App} app
 * @param {Float32Array[]} points
 * @param {string} channel
 * @param {(pictures: Float32Array[]) => void} use
 */
function decodeAll({ model }, points, channel, use) {
  /** @type {Float32Array[]} */
  const pictures = [];
  model.picturesSoon(channel, points, (_, picture) => {
    pictures.push(picture);
    if (pictures.length === points.length) use(pictures);
  });
}

/** @param {App} app */
function saveGif(app) {
  const { path } = app.store.state;
  decodeAll(app, path?.frames ?? [], "gif", (pictures) => {
    const film = [...pictures, ...pictures.slice(1, -1).reverse()];
    const bytes = encodeGif(film, app.header.shape, { scale: scaleOf(app), delayMs: FRAME_MS });
    const parts = /** @type {BlobPart[]} */ ([bytes]);
    download(`${app.header.id}-path.gif`.replaceAll("/", "-"), new Blob(parts, { type: "image/gif" }));
  });
}

/** @param {App} app */
const scaleOf = (app) => Math.max(1, Math.round(224 / app.header.shape[1]));

/** @param {App} app */
function savePng(app) {
  const { path } = app.store.state;
  if (path) saveSheet(app, path.frames, path.frames.length, "path");
}

/**
 * The pictures at many points as one PNG, row by row.
 * @param {App} app
 * @param {Float32Array[]} points
 * @param {number} columns
 * @param {string} name
 */
export function saveSheet(app, points, columns, name) {
  const [, height, width] = app.header.shape;
  const scale = Math.max(1, Math.round(56 / height));
  const small = make("canvas", {});
  const sheet = make("canvas", {
    width: columns * (width * scale + 2),
    height: Math.ceil(points.length / columns) * (height * scale + 2),
  });
  const context = contextOf(sheet);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.imageSmoothingEnabled = false;
  decodeAll(app, points, "sheet", (pictures) => {
    pictures.forEach((picture, n) => {
      const [column, row] = [n % columns, Math.floor(n / columns)];
      paintPicture(small, picture, app.header.shape);
      context.drawImage(small, column * (width * scale + 2), row * (height * scale + 2), width * scale, height * scale);
    });
    sheet.toBlob((blob) => {
      if (blob) download(`${app.header.id}-${name}.png`.replaceAll("/", "-"), blob);
    }, "image/png");
  });
}
