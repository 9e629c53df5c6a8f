import { fitDrawing, fitPhotograph, readPictureFile } from "../../model/preprocess.js";
import { isCanvasAltered } from "../../shared/canvas.js";
import { button, make, print, printVector } from "../../shared/dom.js";
import { paintPicture, storedPicture } from "../../shared/picture.js";
import { DrawingPad } from "./drawing.js";
import { openPopup } from "./popup.js";

const MAX_FILE_BYTES = 100e6;

/**
 * The picture that goes in: chosen, drawn or dropped, and what the encoder makes of it.
 * @typedef {import("../scene/app.js").App} App
 * @typedef {import("../scene/state.js").Input} Input
 *
 * @param {App} app
 */
export function buildInputPanel(app) {
  const { text, store, header, model } = app;
  const handwriting = header.preprocessing === "handwriting";
  // Of decoded points alone nothing can be encoded.
  const canEncode = !model.decodedPoints;
  const canvas = make("canvas", { class: "picture", role: "img" });
  /** @type {HTMLButtonElement} */
  const title = button("", () => openGallery(app, title), { class: "quiet caption-button", title: text("input_choose") });
  /** @type {HTMLSelectElement} */
  const view = make(
    "select",
    {
      class: "quiet",
      title: text("input_view_help"),
      "aria-label": text("input_view_help"),
      onchange: () => store.set({ inputView: view.value }),
    },
    make("option", { value: "scored" }, text("input_binarised")),
    make("option", { value: "grey" }, text("input_grey")),
  );
  const pad = new DrawingPad((grey) => drawn(grey), text("draw_label"));
  const pen = button(text("draw_pen"), () => setEraser(false), { "aria-pressed": "true" });
  const eraser = button(text("draw_eraser"), () => setEraser(true), { "aria-pressed": "false" });
  /** @param {boolean} on */
  const setEraser = (on) => {
    pad.erasing = on;
    pen.setAttribute("aria-pressed", String(!on));
    eraser.setAttribute("aria-pressed", String(on));
  };
  /** @type {HTMLInputElement} */
  const file = make("input", {
    type: "file",
    accept: "image/*",
    hidden: true,
    onchange: () => {
      if (file.files?.[0]) openFile(file.files[0]);
      file.value = "";
    },
  });
  /** @type {HTMLInputElement} */
  const colour = make("input", {
    type: "color",
    value: "#ffffff",
    "aria-label": text("draw_colour"),
    title: text("draw_colour"),
    oninput: () => {
      pad.ink = colour.value;
      setEraser(false);
    },
  });
  const choosing = make(
    "div",
    { class: "buttons" },
    canEncode &&
      button(text("draw"), () => store.set({ drawing: true }), { class: "part-draw", "data-action": "draw" }),
    header.pictures &&
      button(text("input_next"), () => app.nextPicture(), { "data-action": "next" }),
    canEncode &&
      button(text("input_open"), () => file.click(), { class: "part-draw", "data-action": "open" }),
    file,
  );
  const drawingTools = make(
    "div",
    { class: "buttons" },
    pen,
    header.shape[0] === 3 && colour,
    eraser,
    button(text("draw_clear"), () => pad.clear(), { "data-action": "clear" }),
    button(text("draw_done"), () => store.set({ drawing: false }), { class: "strong", "data-action": "done" }),
  );
  const frame = make("div", { class: "frame" }, canvas, pad.canvas);
  const readout = make("div", { class: "readout", "data-role": "posterior" });
  const note = make("p", { class: "note" });
  const element = make(
    "section",
    { class: "side part-input", "aria-label": text("input") },
    make("h3", {}, make("b", {}, text("input")), " · ", title, model.binarise && view),
    frame,
    choosing,
    drawingTools,
    readout,
    note,
  );

  /** @param {ImageData} image */
  const drawn = (image) => {
    const whole = fitDrawing(image, header.shape, handwriting);
    if (!whole) return store.set({ input: null, estimate: null });
    app.setInput({ kind: "drawing", id: 0, label: null, grey: whole, live: true });
  };

  /** @param {File} blob */
  const openFile = async (blob) => {
    try {
      if (!canEncode) return app.notify("file_no_encoder");
      if (blob.size > MAX_FILE_BYTES) throw new Error("too large");
      const grey = fitPhotograph(await readPictureFile(blob), header.shape, handwriting);
      if (!grey) return app.notify("file_empty");
      store.set({ drawing: false });
      app.setInput({ kind: "file", id: 0, label: null, grey, name: blob.name });
      app.commit();
    } catch {
      app.notify("file_refused", { name: blob.name });
    }
  };

  frame.addEventListener("dragover", (event) => {
    event.preventDefault();
    frame.classList.add("dropping");
  });
  frame.addEventListener("dragleave", () => frame.classList.remove("dropping"));
  frame.addEventListener("drop", (event) => {
    event.preventDefault();
    frame.classList.remove("dropping");
    const dropped = event.dataTransfer?.files[0];
    if (dropped) openFile(dropped);
  });

  store.on(["input", "inputView", "drawing"], ({ input, inputView, drawing }) => {
    frame.classList.toggle("drawing", drawing);
    choosing.hidden = drawing;
    drawingTools.hidden = !drawing;
    title.textContent = `${describeInput(app, input)} ▾`;
    title.disabled = !header.pictures;
    if (input) {
      paintPicture(canvas, inputView === "scored" ? input.x : input.grey, header.shape);
      canvas.setAttribute("aria-label", describeInput(app, input));
    } else paintPicture(canvas, new Float32Array(model.pixelCount), header.shape);
    note.textContent = noteOf(app, input, drawing, handwriting);
    readout.replaceChildren(...(input ? posteriorLines(app, input) : []));
  });
  store.on(["drawing"], ({ drawing }) => {
    if (!drawing) return;
    pad.clear(false);
    setEraser(false);
  });
  return element;
}

/**
 * @param {App} app
 * @param {Input | null} input
 */
function describeInput({ text, header }, input) {
  if (!input) return text("input_none");
  if (input.kind === "drawing") return text("input_drawing");
  if (input.kind === "file") return text("input_file");
  const name = input.label === null ? "" : (header.classes[input.label] ?? String(input.label));
  if (input.source === "sample") {
    return name ? text("input_sample_of", { name }) : text("input_sample");
  }
  const source = text(`split_${input.source}`);
  return name
    ? text("input_stored", { source, id: input.id, name })
    : text("input_stored_plain", { source, id: input.id });
}

/**
 * @param {App} app
 * @param {Input | null} input
 * @param {boolean} drawing
 * @param {boolean} handwriting
 */
function noteOf({ text, header }, input, drawing, handwriting) {
  // Drawings and opened files are read back from a canvas.
  if ((drawing || input?.kind === "file") && isCanvasAltered()) return text("draw_altered");
  if (drawing && header.shape[0] === 3) return text("draw_note_colour");
  if (drawing) return text(handwriting ? "draw_note_handwriting" : "draw_note_plain");
  if (input?.kind === "file") return text(handwriting ? "file_note_handwriting" : "file_note_plain");
  if (input?.kind === "stored" && input.source === "sample") return text("input_sample_note");
  return header.pictures ? "" : text("input_no_pictures");
}

/**
 * @param {App} app
 * @param {Input} input
 */
function posteriorLines({ text }, input) {
  /**
   * @param {string} name
   * @param {string} symbol
   */
  const role = (name, symbol) => make("span", { class: name }, symbol);
  if (!input.logvar) {
    return [
      make("div", { class: "formula" }, "z = ", role("mu", "f"), "(x)"),
      make("div", {}, role("mu", "z"), ` = ${printVector(input.mean)}`),
    ];
  }
  const sigma = input.logvar.map((value) => Math.exp(0.5 * value));
  return [
    make("div", { class: "formula" }, "q(z|x) = N(", role("mu", "μ"), ", ", role("sigma", "σ"), "²)"),
    make("div", {}, role("mu", "μ"), ` = ${printVector(input.mean)}`),
    make("div", { title: text("sigma_help") }, role("sigma", "σ"), ` = ${printVector(sigma, 3)}`),
  ];
}

/**
 * A sheet of stored pictures to choose from.
 * @param {App} app
 * @param {HTMLElement} anchor
 */
function openGallery(app, anchor) {
  const { header, model, text } = app;
  if (!header.pictures) return;
  const { pixels, ids, labels } = header.pictures;
  const count = Math.min(ids.length, 84);
  const sheet = make("div", { class: "gallery" });
  const close = openPopup(app, anchor, sheet, text("input_choose"));
  for (let i = 0; i < count; i++) {
    const small = make("canvas", {});
    paintPicture(small, storedPicture(pixels, i, model.pixelCount), header.shape);
    const name = labels ? (header.classes[labels[i]] ?? String(labels[i])) : print(ids[i], 0);
    sheet.append(
      make(
        "button",
        {
          type: "button",
          class: "thumb",
          title: name,
          "aria-label": name,
          onclick: () => {
            close();
            app.choosePicture(i);
            app.commit();
          },
        },
        small,
      ),
    );
  }
  if (header.pictures.credit) sheet.append(make("p", { class: "note credit", lang: "en" }, header.pictures.credit));
}
