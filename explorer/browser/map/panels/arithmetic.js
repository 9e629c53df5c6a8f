import { button, make } from "../../shared/dom.js";
import { paintPicture } from "../../shared/picture.js";
import { combine } from "../geometry/paths.js";

/**
 * A − B + C over class means and pins.
 * @typedef {import("../scene/app.js").App} App
 *
 * @param {App} app
 */
export function buildArithmeticPanel(app) {
  const { text, store, header, model } = app;
  let means = classMeans(app);
  let meansOf = app.codes;
  const slots = ["a", "b", "c"].map((name, i) => ({
    name,
    canvas: make("canvas", {}),
    select: make("select", {
      "aria-label": text("arithmetic_slot", { name: name.toUpperCase() }),
      "data-slot": name,
      onchange: () => {
        store.set({ terms: slots.map(({ select }) => select.value) });
        update();
      },
    }),
    first: means.length ? `class ${means[[1, 0, 2][i] % means.length].label}` : "",
  }));
  const result = make("canvas", { "data-role": "sum" });
  const go = button(text("arithmetic_go"), () => {
    const z = sum();
    if (!z) return;
    app.setZ(z);
    app.commit();
  }, { class: "strong", "data-action": "go" });
  /** @param {{canvas: HTMLElement, select: HTMLElement}} slot */
  const cell = ({ canvas, select }) => make("div", { class: "term" }, canvas, select);
  const equation = make(
    "div",
    { class: "equation" },
    cell(slots[0]), "−", cell(slots[1]), "+", cell(slots[2]), "=",
    make("div", { class: "term" }, result, go),
  );
  const empty = make("p", { class: "note" }, text("arithmetic_empty"));
  const element = make("div", {}, equation, empty, make("p", { class: "note" }, text("arithmetic_note")));

  const options = () => [
    ...store.state.pins.map((pin) => ({ value: `pin ${pin.name}`, label: text("arithmetic_pin", { name: pin.name }), z: pin.z })),
    ...means.map(({ label, z }) => ({
      value: `class ${label}`,
      label: text("arithmetic_class", { name: header.classes[label] ?? String(label) }),
      z,
    })),
  ];
  /** @param {{select: HTMLSelectElement}} slot */
  const chosen = (slot) => options().find(({ value }) => value === slot.select.value);
  const sum = () => {
    const [a, b, c] = slots.map(chosen);
    return a && b && c ? combine(a.z, b.z, c.z) : null;
  };
  const update = () => {
    const list = options();
    equation.hidden = !list.length;
    empty.hidden = Boolean(list.length);
    if (!list.length) return;
    const total = sum();
    /** @type {[HTMLCanvasElement, Float32Array][]} */
    const wanted = total ? [[result, total]] : [];
    for (const slot of slots) {
      const term = chosen(slot);
      if (term) wanted.push([slot.canvas, term.z]);
    }
    const points = wanted.map(([, z]) => z);
    model.picturesSoon("arithmetic", points, (n, picture) => paintPicture(wanted[n][0], picture, header.shape));
  };
  store.on(["pins", "tab", "member"], ({ tab }) => {
    if (tab !== "arithmetic") return;
    if (meansOf !== app.codes) [means, meansOf] = [classMeans(app), app.codes];
    const list = options();
    for (const [i, slot] of slots.entries()) {
      const before = slot.select.value || store.state.terms[i] || slot.first;
      slot.select.replaceChildren(...list.map(({ value, label }) => make("option", { value }, label)));
      slot.select.value = list.some(({ value }) => value === before) ? before : (list[0]?.value ?? "");
    }
    update();
  });
  return element;
}

/**
 * The mean code of every class, (label, z).
 * @param {Pick<App, "codes" | "labels" | "size" | "count">} app
 */
function classMeans({ codes, labels, size, count }) {
  if (!labels) return [];
  /** @type {Map<number, {total: Float64Array, number: number}>} */
  const sums = new Map();
  for (let n = 0; n < count; n++) {
    const entry = sums.get(labels[n]) ?? { total: new Float64Array(size), number: 0 };
    sums.set(labels[n], entry);
    entry.number += 1;
    for (let i = 0; i < size; i++) entry.total[i] += codes[n * size + i];
  }
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([label, { total, number }]) => ({ label, z: Float32Array.from(total, (value) => value / number) }));
}
