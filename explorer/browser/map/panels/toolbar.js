import { button, make, print } from "../../shared/dom.js";
import { sceneAddress } from "../scene/scene.js";
import { showsReference } from "../scene/sweep.js";
import { openPopup } from "./popup.js";
import { togglePresenting } from "./presenting.js";
import { startTour } from "./tour.js";

/**
 * Which model this is, and what concerns the whole page: the tour, the projector, sharing.
 * @typedef {import("../scene/app.js").App} App
 *
 * @param {App} app
 */
export function buildToolbar(app) {
  const { text, store, header, host } = app;
  /** @type {HTMLSelectElement} */
  const select = make("select", {
    class: "model",
    "aria-label": text("model"),
    title: text("model"),
    "data-role": "model",
    onchange: () => app.host.trigger("model", select.value),
  });
  const name = make("b", { class: "model-name" }, header.name);
  /** @type {HTMLButtonElement} */
  const share = button(`${text("share")} ▾`, () => openShare(app, share), {
    class: "part-share",
    "aria-expanded": "false",
    "data-action": "share",
  });
  const present = button(text("present"), () => togglePresenting(app), {
    title: text("present_help"),
    "aria-pressed": "false",
    "data-action": "present",
  });
  const figures = make("span", { class: "muted figures", "data-role": "figures" });
  store.on(["member"], () => {
    figures.textContent = figuresOf(app);
  });
  const element = make(
    "header",
    { class: "toolbar part-toolbar" },
    select,
    name,
    figures,
    make("span", { class: "space" }),
    host.kind !== "streamlit" && button(text("tour"), () => startTour(app), { class: "part-tour", "data-action": "tour" }),
    host.kind !== "streamlit" && present,
    host.kind === "streamlit" && share,
  );
  store.on(["models"], ({ models }) => {
    select.hidden = !models || models.length < 2;
    name.hidden = !select.hidden;
    if (!models) return;
    const groups = [...new Set(models.map(({ group }) => group))];
    select.replaceChildren(
      ...groups.map((group) =>
        make(
          "optgroup",
          { label: group },
          ...models
            .filter((model) => model.group === group)
            .map(({ id, name: label }) => make("option", { value: id }, label)),
        ),
      ),
    );
    select.value = header.id;
  });
  store.on(["presentation"], ({ presentation }) => present.setAttribute("aria-pressed", String(presentation)));
  return element;
}

/** @param {App} app */
function figuresOf({ text, header, model }) {
  const { beta, implied, moved, elbo, split } = header.figures;
  const parts = [text(model.latentSize === 1 ? "figures_latent" : "figures_latents", { count: model.latentSize })];
  if (beta !== null && model.hasPosterior) {
    parts.push(moved ? `β = ${moved}` : implied ? `β ≈ ${Number(beta.toPrecision(2))}` : `β = ${print(beta, 2).replace(/\.?0+$/, "")}`);
  }
  if (elbo !== null && model.hasPosterior) {
    parts.push(text("figures_elbo", { elbo: print(-elbo, 1), split: text(`split_${split}`) }));
  }
  return parts.join(" · ");
}

/**
 * @param {App} app
 * @param {HTMLElement} anchor
 */
function openShare(app, anchor) {
  const { text } = app;
  const copy = async () => {
    const address = sceneAddress(app, true);
    try {
      await navigator.clipboard.writeText(address);
      app.notify("share_copied");
    } catch {
      // Without the clipboard (an insecure page), show the address to copy by hand.
      window.prompt(text("share_copy"), address);
    }
    close();
  };
  const file = () => {
    app.host.trigger("export", { kind: "html", scene: new URL(sceneAddress(app)).search.slice(1) });
    app.notify("share_preparing");
    close();
  };
  const whole = showsReference(app) && app.header.networks !== null;
  const menu = make(
    "div",
    { class: "menu" },
    button(text("share_link"), copy, { "data-action": "copy-link" }),
    whole && button(text("share_file"), file, { "data-action": "export-html" }),
    make("p", { class: "note" }, text(whole ? "share_file_help" : "share_file_beta")),
  );
  const close = openPopup(app, anchor, menu, text("share"));
}
