import { word } from "../shared/bars.js";
import { print } from "../shared/dom.js";
import { joinSentences } from "../shared/text.js";
import { printAgreed } from "./panel.js";

/**
 * What the lens says in words and numbers: how exact it is, the two sums, and how far the visitor is.
 * @typedef {import("../shared/text.js").Text} Text
 * @typedef {import("./header.js").Exact} Exact
 *
 * @typedef {object} Shown what the sentences speak of
 * @property {Text} text
 * @property {Exact} exact
 * @property {import("./panel.js").Terms} terms
 * @property {number} error by which two rules differ
 * @property {import("./panel.js").Who} who
 * @property {{full: {elbo: number}} | null} refined
 * @property {{language: string}} header
 */

/**
 * @param {Text} text
 * @param {Exact} exact
 */
export function exactSentence(text, { log_px, error, certified, residual }) {
  /** @param {number} nats */
  const small = (nats) => (Math.abs(nats) < 1e-4 ? nats.toExponential(0).replaceAll("-", "−") : print(nats, 4));
  return text(certified ? "exact_certified" : "exact_uncertified", {
    log_px: print(log_px, 2),
    error: small(error),
    residual: small(residual),
  });
}

/**
 * Reconstruction + KL = −ELBO.
 * @param {Shown} shown
 * @param {number} total −ELBO
 */
export function upperLine({ text, terms, error }, total) {
  return [
    word("term-rec", text("sum_reconstruction", { nats: printAgreed(terms.reconstruction, error) })), " + ",
    word("term-kl", text("sum_kl", { nats: print(terms.kl) })), " = ",
    word("", text("sum_elbo", { nats: printAgreed(total, error) })),
  ];
}

/**
 * −log p(x) + gap, the gap in pieces where they are known.
 * @param {Shown} shown
 * @param {number} gap
 * @param {{name: string, nats: number}[]} pieces
 */
export function lowerLine({ text, exact, error, who }, gap, pieces) {
  /** @type {(Node | string)[]} */
  const line = [
    word("", text("sum_marginal", { nats: print(-exact.log_px) })), " + ",
    word("term-gap", text("sum_gap", { nats: printAgreed(gap, error) })),
  ];
  if (pieces.length > 1) {
    const last = who === "encoder" ? "piece_amortisation" : "piece_yours";
    line.push(" = ", word("", text("piece_approximation", { nats: print(pieces[0].nats) })), " + ",
      word("", text(last, { nats: printAgreed(pieces[1].nats, error) })));
  }
  return line;
}

/**
 * How much of the encoder's gap q closes.
 * @param {Shown} shown
 * @param {number} total −ELBO
 * @param {number} least nats that count as a loss
 */
export function scoreSentence({ text, exact, error, refined, who, header }, total, least) {
  const whole = exact.log_px + exact.reconstruction + exact.kl;
  if (who === "encoder") return text("score_start", { gap: print(whole) });
  const closed = exact.reconstruction + exact.kl - total;
  const best = refined && exact.reconstruction + exact.kl + refined.full.elbo;
  const sentence = closed < -least
    ? text("score_worse", { nats: printAgreed(-closed, error) })
    : text("score_closed", { share: percent(closed / whole), nats: print(Math.max(0, closed)) });
  const other = best ? [text("score_best", { share: percent(best / whole) })] : [];
  return joinSentences(header.language, [sentence, ...other]);
}

/** @param {number} share */
const percent = (share) => print(100 * Math.min(1, share), share < 0.1 || share > 0.985 ? 1 : 0);
