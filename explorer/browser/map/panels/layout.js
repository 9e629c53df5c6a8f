import { make } from "../../shared/dom.js";
import { escape } from "../plane/keys.js";
import { buildInputPanel } from "./input.js";
import { buildLegend } from "./legend.js";
import { buildOutputPanel, buildTooltip } from "./output.js";
import { attachPresenting } from "./presenting.js";
import { buildSliders } from "./sliders.js";
import { buildTabs } from "./tabs.js";
import { buildToolbar } from "./toolbar.js";

/**
 * The page, left to right as the model works: picture, encoder, map, decoder, picture.
 * @param {import("../scene/app.js").App} app
 */
export function buildLayout(app) {
  const { text, root, map, store } = app;
  /** @param {string} name */
  const arrow = (name) =>
    make("div", { class: `arrow ${name}`, "aria-hidden": "true" }, make("span", {}, "→"), make("small", {}, text(name)));
  const hint = make("span", { class: "muted" });
  const coarse = window.matchMedia("(hover: none)").matches;
  root.classList.toggle("many-latents", app.size > 2);
  map.element.append(buildTooltip(app));
  const middle = make(
    "section",
    { class: "middle", "aria-label": text("map") },
    make("h3", {}, make("b", {}, text("map")), " · ", hint),
    map.element,
    buildLegend(app),
  );
  const notice = make("div", { class: "notice", role: "status", hidden: true });
  root.replaceChildren(
    buildToolbar(app),
    make("div", { class: "flow" }, buildInputPanel(app), arrow("encoder"), middle, arrow("decoder"), buildOutputPanel(app)),
    make("div", { class: "below" }, buildSliders(app), buildTabs(app)),
    notice,
    make("p", { class: "unseen", role: "status", "data-role": "spoken" }),
  );
  store.on(["notice"], ({ notice: message }) => {
    notice.hidden = !message;
    notice.textContent = message;
  });
  store.on(["tool", "projection"], ({ tool, projection }) => {
    const key = tool === "hover" ? (projection.kind === "pair" ? "map_hint" : `map_hint_${projection.kind}`) : `map_hint_${tool}`;
    hint.textContent = text(key === "map_hint" && coarse ? "map_hint_touch" : key);
  });
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.key === "Escape") escape(app);
  };
  root.addEventListener("keydown", onKey);
  const endPresenting = attachPresenting(app);
  app.disposeLayout = () => {
    root.removeEventListener("keydown", onKey);
    endPresenting();
  };
}
