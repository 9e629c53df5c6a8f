import { make } from "../../shared/dom.js";
import { tabsOf } from "../scene/state.js";
import { buildArithmeticPanel } from "./arithmetic.js";
import { buildLikelihoodPanel } from "./likelihood.js";
import { buildPathPanel } from "./path.js";
import { buildSelectionPanel } from "./selection.js";
import { buildTraversalPanel } from "./traversal.js";

/**
 * What can be asked of a point, one question at a time.
 * @param {import("../scene/app.js").App} app
 */
export function buildTabs(app) {
  const { text, store } = app;
  /** @type {Record<string, () => HTMLElement>} */
  const build = {
    likelihood: () => buildLikelihoodPanel(app),
    path: () => buildPathPanel(app),
    arithmetic: () => buildArithmeticPanel(app),
    traversal: () => buildTraversalPanel(app),
    selection: () => buildSelectionPanel(app),
  };
  const names = tabsOf(app);
  const panels = names.map((name) =>
    make("div", { role: "tabpanel", class: `tab-panel ${name}-panel`, "aria-label": text(`tab_${name}`) }, build[name]()),
  );
  const tabs = names.map((name, i) =>
    make(
      "button",
      {
        type: "button",
        role: "tab",
        "data-tab": name,
        onclick: () => store.set({ tab: name }),
        /** @param {KeyboardEvent} event */
        onkeydown: (event) => {
          const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
          if (!step) return;
          const next = (i + step + names.length) % names.length;
          store.set({ tab: names[next] });
          tabs[next].focus();
        },
      },
      text(`tab_${name}`),
    ),
  );
  store.on(["tab"], ({ tab }) => {
    names.forEach((name, i) => {
      const shown = name === tab;
      tabs[i].setAttribute("aria-selected", String(shown));
      tabs[i].tabIndex = shown ? 0 : -1;
      panels[i].hidden = !shown;
    });
  });
  return make("section", { class: "part-panel" }, make("div", { class: "tabs", role: "tablist" }, ...tabs), ...panels);
}
