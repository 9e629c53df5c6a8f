import { Bars, word } from "../../shared/bars.js";
import { make, print } from "../../shared/dom.js";
import { joinSentences } from "../../shared/text.js";
import { standsAt } from "../scene/state.js";

/**
 * Where this image's likelihood goes: reconstruction + KL = −ELBO above, −log p(x) + gap below.
 * @typedef {import("../scene/app.js").App} App
 * @typedef {import("../../model/estimate.js").Estimate} Estimate
 *
 * @param {App} app
 */
export function buildLikelihoodPanel(app) {
  const { text, store } = app;
  const bars = new Bars(text);
  const empty = make("p", {});
  const moved = make("p", { class: "note", "data-role": "moved" });
  const note = make("p", { class: "note" });
  const mean = make("p", { class: "note" });
  store.on(["member"], () => {
    mean.textContent = meanSentence(app);
  });
  const element = make("div", { class: "likelihood" }, empty, bars.element, moved, note, mean);
  store.on(["z", "input"], ({ z, input }) => {
    moved.textContent = !input || standsAt(z, input.mean) ? "" : text("likelihood_moved");
  });

  store.on(["estimate", "input"], ({ estimate, input }) => {
    bars.element.hidden = !estimate;
    empty.hidden = Boolean(estimate);
    if (!estimate) {
      empty.textContent = text(input ? "likelihood_waiting" : "likelihood_empty");
      note.textContent = "";
      return;
    }
    const gap = Math.max(0, estimate.negativeElbo - estimate.marginal);
    const { reconstruction, kl, marginal } = estimate;
    // The figures follow the pen, and get better by the draw: the axis waits until they rest.
    bars.show({ reconstruction, kl, logPx: -marginal, pieces: [{ name: "whole", nats: gap }] }, true);
    bars.say(upperLine(app, estimate), lowerLine(app, marginal, gap));
    const missed = text("likelihood_note", {
      gap: print(gap),
      error: print(Math.hypot(estimate.error, estimate.marginalError)),
      draws: estimate.draws,
    });
    const sentences = bars.breaks.hidden ? [missed] : [missed, text("axis_broken")];
    note.textContent = joinSentences(app.header.language, sentences);
  });
  if (app.model.likelihood.isDensity) {
    element.append(make("p", { class: "note" }, text("likelihood_density_note")));
  }
  return element;
}

/**
 * @param {App} app
 * @param {Estimate} estimate
 */
function upperLine({ text }, { reconstruction, kl, negativeElbo, error }) {
  return [
    word("term-rec", text("likelihood_reconstruction", { nats: print(reconstruction) })), " + ",
    word("term-kl", text("kl_value", { nats: print(kl) })), " = ",
    text("likelihood_sum", { elbo: print(negativeElbo), error: print(error) }),
  ];
}

/**
 * @param {App} app
 * @param {number} marginal
 * @param {number} gap
 */
function lowerLine({ text }, marginal, gap) {
  return [
    text("likelihood_marginal", { nats: print(marginal) }), " + ",
    word("term-gap", text("likelihood_gap", { nats: print(gap) })),
  ];
}

/**
 * The same figure as a mean, so that nobody takes one for the other.
 * @param {App} app
 */
function meanSentence({ text, header }) {
  const { elbo, split } = header.figures;
  return elbo === null ? "" : text("likelihood_mean", { elbo: print(-elbo, 1), split: text(`split_${split}`) });
}
