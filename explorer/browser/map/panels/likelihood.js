import { make, print } from "../../shared/dom.js";
import { standsAt } from "../scene/state.js";

/**
 * Where this image's likelihood goes: reconstruction + KL = −ELBO above, −log p(x) + gap below, on
 * one axis, broken inside the reconstruction so that KL and gap keep their scale.
 * @typedef {import("../scene/app.js").App} App
 *
 * @param {App} app
 */
export function buildLikelihoodPanel(app) {
  const { text, store } = app;
  const sum = make("p", { class: "sum", "data-role": "elbo" });
  const rec = make("span", { class: "bar rec" });
  const kl = make("span", { class: "bar kl" });
  const upper = make("div", { class: "bar-row" }, rec, kl);
  const marginal = make("span", { class: "bar marginal" });
  const gap = make("span", { class: "bar gap" });
  const lower = make("div", { class: "bar-row" }, marginal, gap);
  const moved = make("p", { class: "note", "data-role": "moved" });
  const note = make("p", { class: "note" });
  const mean = make("p", { class: "note" });
  store.on(["member"], () => {
    mean.textContent = meanSentence(app);
  });
  const element = make("div", { class: "likelihood" }, sum, upper, lower, moved, note, mean);
  store.on(["z", "input"], ({ z, input }) => {
    moved.textContent = !input || standsAt(z, input.mean) ? "" : text("likelihood_moved");
  });

  store.on(["estimate", "input"], ({ estimate, input }) => {
    upper.hidden = lower.hidden = !estimate;
    if (!estimate) {
      sum.textContent = text(input ? "likelihood_waiting" : "likelihood_empty");
      note.textContent = "";
      return;
    }
    const { reconstruction, error, negativeElbo } = estimate;
    sum.textContent = text("likelihood_sum", {
      elbo: print(negativeElbo),
      error: print(error),
      reconstruction: print(reconstruction),
      kl: print(estimate.kl),
    });
    // KL takes a third of the row, less where the gap is the larger; both are on one scale.
    const gapNats = Math.max(0, negativeElbo - estimate.marginal);
    const scale = Math.min(34 / Math.max(estimate.kl, 0.5), 60 / Math.max(gapNats, 0.01));
    const klWidth = estimate.kl * scale;
    const gapWidth = gapNats * scale;
    rec.style.width = `${100 - klWidth}%`;
    kl.style.width = `${klWidth}%`;
    rec.textContent = text("likelihood_reconstruction", { nats: print(reconstruction) });
    kl.textContent = klWidth > 9 ? text("kl_value", { nats: print(estimate.kl) }) : "";
    marginal.style.width = `${100 - gapWidth}%`;
    gap.style.width = `${gapWidth}%`;
    marginal.textContent = text("likelihood_marginal", { nats: print(estimate.marginal) });
    gap.textContent = gapWidth > 9 ? print(gapNats) : "";
    note.textContent = text("likelihood_note", {
      gap: print(gapNats),
      error: print(Math.hypot(error, estimate.marginalError)),
      draws: estimate.draws,
    });
  });
  if (app.model.likelihood.isDensity) {
    element.append(make("p", { class: "note" }, text("likelihood_density_note")));
  }
  return element;
}

/**
 * The same figure as a mean, so that nobody takes one for the other.
 * @param {App} app
 */
function meanSentence({ text, header }) {
  const { elbo, split } = header.figures;
  return elbo === null ? "" : text("likelihood_mean", { elbo: print(-elbo, 1), split: text(`split_${split}`) });
}
