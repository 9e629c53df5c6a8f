import { toBase64 } from "../shared/base64.js";
import { contextOf, make } from "../shared/dom.js";
import { throttle } from "./page.js";

/** What moved last, tiles and pictures that are decoded one by one, comes to rest first. */
const REST_MS = 700;

/**
 * A widget as a picture: its elements and its canvases, as they look.
 * @param {HTMLElement} root
 * @param {string} style the sheet that it is drawn with
 * @returns {Promise<string>} a PNG in base64
 */
async function photograph(root, style) {
  const { width, height } = root.getBoundingClientRect();
  const copy = /** @type {HTMLElement} */ (root.cloneNode(true));
  const canvases = copy.querySelectorAll("canvas");
  root.querySelectorAll("canvas").forEach((canvas, place) => canvases[place].replaceWith(imageOf(canvas)));
  const fields = copy.querySelectorAll("select, input");
  root.querySelectorAll("select, input").forEach((field, place) => keepValue(field, fields[place]));
  copy.style.width = `${width}px`;
  // The drawing's window is as wide as this one and as high as the widget: rules ask for either.
  const rules = style.replaceAll("100vh", `${window.innerHeight}px`);
  const page = make("div", {}, make("style", {}, rules), copy);
  page.setAttribute("xmlns", "http://www.w3.org/1999/xhtml");
  const body = new XMLSerializer().serializeToString(page);
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${window.innerWidth}" height="${height}"><foreignObject width="100%" height="100%">${body}</foreignObject></svg>`;
  const image = new Image();
  image.src = `data:image/svg+xml;base64,${toBase64(new TextEncoder().encode(drawing))}`;
  await image.decode();
  const scale = Math.min(2, window.devicePixelRatio || 1);
  const paper = make("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
  const context = contextOf(paper);
  context.fillStyle = root.style.getPropertyValue("--st-background-color") || "white";
  context.fillRect(0, 0, paper.width, paper.height);
  context.drawImage(image, 0, 0, window.innerWidth * scale, paper.height);
  return paper.toDataURL("image/png").split(",")[1];
}

/**
 * An image in place of a canvas, which takes its room and its looks.
 * @param {HTMLCanvasElement} canvas
 */
function imageOf(canvas) {
  const { width, height, display, position, inset, background, border, borderRadius, boxSizing } = getComputedStyle(canvas);
  const image = make("img", { class: canvas.className, src: canvas.width && canvas.height ? canvas.toDataURL() : "" });
  Object.assign(image.style, { width, height, display, position, inset, background, border, borderRadius, boxSizing, objectFit: "contain", imageRendering: "pixelated" });
  return image;
}

/**
 * A copy has the values that a page began with: what was chosen since stands in no attribute.
 * @param {Element} field
 * @param {Element} copy
 */
function keepValue(field, copy) {
  if (field instanceof HTMLInputElement) copy.setAttribute("value", field.value);
  if (field instanceof HTMLSelectElement && copy instanceof HTMLSelectElement) {
    copy.selectedOptions[0]?.removeAttribute("selected");
    copy.options[field.selectedIndex]?.setAttribute("selected", "");
  }
}

/**
 * Send Python a picture whenever it asks for one, also where it asked before the page was there.
 * @param {import("./page.js").WidgetModel} model
 * @param {HTMLElement} root
 */
export function answerSnapshots(model, root) {
  const answer = throttle(REST_MS, async () => {
    if (!root.isConnected) return;
    const number = model.get("snapshots");
    try {
      model.send({ snapshot: number, png: await photograph(root, model.get("_css")) });
    } catch (error) {
      model.send({ snapshot: number, failure: String(error) });
    }
  });
  if (model.get("snapshots")) answer();
  model.on("change:snapshots", answer);
  return () => {
    answer.cancel();
    model.off("change:snapshots", answer);
  };
}
