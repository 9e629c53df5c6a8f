import { make, print } from "../../shared/dom.js";
import { SCALE } from "../plane/scale.js";

/**
 * What the points are coloured by, and the bar that a number's colours are read from.
 * @param {import("../scene/app.js").App} app
 */
export function buildColouring(app) {
  const { store, text } = app;
  const choice = make("select", {
    class: "chip",
    "aria-label": text("colour_by"),
    title: text("colour_by"),
    "data-role": "colour",
    onchange: () => store.set({ colour: choice.value, hidden: new Set() }),
  });
  const bar = make("span", { class: "scale", "data-role": "scale" });
  const element = make("span", { class: "colouring" }, choice, bar);
  store.on(["colour", "member"], ({ colour }) => {
    element.hidden = !app.factors.length;
    const names = app.factors.map(({ name }) => name);
    choice.replaceChildren(
      make("option", { value: "" }, text("colour_class")),
      ...names.map((name) => make("option", { value: name }, text("colour_factor", { name }))),
    );
    choice.value = names.includes(colour) ? colour : "";
    const { factor } = app;
    bar.hidden = !factor || factor.words !== null;
    if (!factor || factor.words) return;
    const ramp = make("i", { style: `background:linear-gradient(to right, ${SCALE.join(",")})` });
    bar.replaceChildren(print(factor.low), ramp, print(factor.high));
  });
  return element;
}
