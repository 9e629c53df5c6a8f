import { button, make, print } from "../shared/dom.js";
import { plainAngle } from "./gaussian.js";

/**
 * Beside the stage: the numbers of each q, the score, the buttons and the three sliders.
 * @typedef {import("../shared/text.js").Text} Text
 * @typedef {import("./gaussian.js").Normal} Normal
 * @typedef {"yours" | "encoder" | "diagonal" | "full"} Column
 * @typedef {{reconstruction: number, kl: number}} Terms nats
 * @typedef {"encoder" | "prior" | "diagonal" | "full"} Place a q to go to
 * @typedef {Place | "yours"} Who whose q is shown
 */

/** @type {Column[]} */
const COLUMNS = ["yours", "encoder", "diagonal", "full"];
const ROWS = /** @type {const} */ (["reconstruction", "kl", "negative_elbo", "gap"]);
const ROLES = { reconstruction: "term-rec", kl: "term-kl", negative_elbo: "", gap: "term-gap" };

/**
 * Nats with as many decimals as two quadrature rules that differ by `error` agree on.
 * @param {number} nats
 * @param {number} error
 */
export function printAgreed(nats, error) {
  if (!(error > 0.02)) return print(nats);
  return `≈ ${print(nats, error > 0.5 ? 0 : 1)}`;
}

/** @param {{text: Text, exact: import("./header.js").Exact}} lens */
export function buildTable({ text, exact }) {
  /** @type {Record<string, HTMLElement>} */
  const cells = {};
  const head = make("tr", {}, make("th", {}));
  for (const column of COLUMNS) head.append(make("th", { scope: "col", "data-column": column }, text(`column_${column}`)));
  const body = make("tbody", {});
  for (const row of ROWS) {
    const line = make("tr", {}, make("th", { scope: "row", class: ROLES[row] }, text(row)));
    for (const column of COLUMNS) {
      const cell = make("td", { "data-column": column, "data-role": `${column}-${row}` });
      cells[`${column}-${row}`] = cell;
      line.append(cell);
    }
    body.append(line);
  }
  const table = make("table", { class: "numbers" }, make("caption", {}, text("table")), make("thead", {}, head), body);
  /**
   * Fill a column, or hide it.
   * @param {Column} column
   * @param {Terms | null} terms
   * @param {number} [error] by which two rules differ
   */
  const show = (column, terms, error = 0) => {
    /** @type {NodeListOf<HTMLElement>} */
    const shown = table.querySelectorAll(`[data-column=${column}]`);
    for (const cell of shown) cell.hidden = !terms;
    if (!terms) return;
    const total = terms.reconstruction + terms.kl;
    const gap = Math.max(0, exact.log_px + total);
    const values = { reconstruction: terms.reconstruction, kl: terms.kl, negative_elbo: total, gap };
    for (const row of ROWS) {
      cells[`${column}-${row}`].textContent = row === "kl" ? print(values[row]) : printAgreed(values[row], error);
    }
  };
  return { element: table, show };
}

/** @param {{text: Text, goTo: (place: Place) => void, refine: () => void}} lens */
export function buildButtons(lens) {
  const { text } = lens;
  /**
   * @param {Place | "refine"} name
   * @param {() => void} act
   */
  const go = (name, act) =>
    button(text(`go_${name}`), act, { "data-action": name, title: text(`go_${name}_title`) });
  const buttons = {
    encoder: go("encoder", () => lens.goTo("encoder")),
    prior: go("prior", () => lens.goTo("prior")),
    refine: go("refine", () => lens.refine()),
    diagonal: go("diagonal", () => lens.goTo("diagonal")),
    full: go("full", () => lens.goTo("full")),
  };
  buttons.refine.classList.add("strong");
  return { element: make("div", { class: "buttons" }, ...Object.values(buttons)), buttons };
}

/**
 * Widths on a logarithmic scale and the rotation: what a keyboard or a thumb can set.
 * @typedef {(q: Normal) => number} Read
 * @typedef {(q: Normal, value: number) => Normal} Write
 * @typedef {(q: Normal) => string} Print
 *
 * @param {{text: Text, q: Normal, nudge: (q: Normal) => void}} lens
 */
export function buildSliders(lens) {
  const { text } = lens;
  const element = make("div", { class: "q-sliders" });
  /** @type {{input: HTMLInputElement, value: HTMLElement, read: Read, printed: Print}[]} */
  const rows = [];
  /**
   * @param {string} name
   * @param {number} low
   * @param {number} high
   * @param {number} step
   * @param {Read} read
   * @param {Write} write
   * @param {Print} printed
   */
  const add = (name, low, high, step, read, write, printed) => {
    const value = make("span", { class: "value" });
    const input = make("input", { type: "range", min: low, max: high, step, "aria-label": text(`slider_${name}`) });
    input.addEventListener("input", () => lens.nudge(write({ ...lens.q }, Number(input.value))));
    rows.push({ input, value, read, printed });
    element.append(make("label", { class: "q-slider" }, make("span", {}, text(`slider_${name}`)), input, value));
  };
  /**
   * @param {"a" | "b"} name
   * @returns {[Read, Write, Print]}
   */
  const width = (name) => [
    (q) => Math.log10(q[name]),
    (q, value) => ({ ...q, [name]: 10 ** value }),
    (q) => print(q[name], q[name] < 0.1 ? 3 : 2),
  ];
  add("a", -3, 0.5, 0.01, ...width("a"));
  add("b", -3, 0.5, 0.01, ...width("b"));
  add("turn", -90, 90, 1,
    (q) => (plainAngle(q.angle) * 180) / Math.PI,
    (q, value) => ({ ...q, angle: (value * Math.PI) / 180 }),
    (q) => `${print((plainAngle(q.angle) * 180) / Math.PI, 0)}°`,
  );
  /** @param {Normal} q */
  const show = (q) => {
    for (const { input, value, read, printed } of rows) {
      input.value = String(read(q));
      value.textContent = printed(q);
    }
  };
  return { element, show };
}
