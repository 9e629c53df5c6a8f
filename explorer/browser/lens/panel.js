import { button, make, print } from "../shared/dom.js";
import { plainAngle } from "./gaussian.js";

/** Beside the stage: the numbers of each q, the score, the buttons and the three sliders. */

const COLUMNS = ["yours", "encoder", "diagonal", "full"];
const ROWS = ["reconstruction", "kl", "negative_elbo", "gap"];
const ROLES = { reconstruction: "term-rec", kl: "term-kl", negative_elbo: "", gap: "term-gap" };

/** Nats with as many decimals as two quadrature rules that differ by `error` agree on. */
export function printAgreed(nats, error) {
  if (!(error > 0.02)) return print(nats);
  return `≈ ${print(nats, error > 0.5 ? 0 : 1)}`;
}

/** @param {any} lens */
export function buildTable(lens) {
  const { text } = lens;
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
  const show = (column, terms, error = 0) => {
    for (const cell of table.querySelectorAll(`[data-column=${column}]`)) cell.hidden = !terms;
    if (!terms) return;
    const total = terms.reconstruction + terms.kl;
    const gap = Math.max(0, lens.exact.log_px + total);
    const values = { reconstruction: terms.reconstruction, kl: terms.kl, negative_elbo: total, gap };
    for (const row of ROWS) {
      cells[`${column}-${row}`].textContent = row === "kl" ? print(values[row]) : printAgreed(values[row], error);
    }
  };
  return { element: table, show };
}

/** @param {any} lens */
export function buildButtons(lens) {
  const { text } = lens;
  const entries = [
    ["encoder", () => lens.goTo("encoder")],
    ["prior", () => lens.goTo("prior")],
    ["refine", () => lens.refine()],
    ["diagonal", () => lens.goTo("diagonal")],
    ["full", () => lens.goTo("full")],
  ];
  const buttons = {};
  for (const [name, act] of entries) {
    buttons[name] = button(text(`go_${name}`), act, { "data-action": name, title: text(`go_${name}_title`) });
  }
  buttons.refine.classList.add("strong");
  return { element: make("div", { class: "buttons" }, ...Object.values(buttons)), buttons };
}

/** Widths on a logarithmic scale and the rotation: what a keyboard or a thumb can set. @param {any} lens */
export function buildSliders(lens) {
  const { text } = lens;
  const element = make("div", { class: "q-sliders" });
  const rows = {};
  const add = (name, low, high, step, read, write, printed) => {
    const value = make("span", { class: "value" });
    const input = make("input", { type: "range", min: low, max: high, step, "aria-label": text(`slider_${name}`) });
    input.addEventListener("input", () => lens.nudge(write({ ...lens.q }, Number(input.value))));
    rows[name] = { input, value, read, printed };
    element.append(make("label", { class: "q-slider" }, make("span", {}, text(`slider_${name}`)), input, value));
  };
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
  const show = (q) => {
    for (const { input, value, read, printed } of Object.values(rows)) {
      input.value = String(read(q));
      value.textContent = printed(q);
    }
  };
  return { element, show };
}
