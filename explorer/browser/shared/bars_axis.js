/** The axis under reconstruction + KL = −ELBO and −log p(x) + gap: where it is cut, and how far it goes. */

const SPANS = [5, 7, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280, 2560, 5120, 10240, 40960];
const FULL = 0.96;

/**
 * @typedef {object} Axis
 * @property {number} cut nats where the scale begins
 * @property {number} span nats from there to the right end
 * @property {number} broken 1 where what lies left of `cut` is left out, 0 where nothing does
 *
 * @typedef {{reconstruction: number, kl: number, logPx: number}} Sums nats
 */

/**
 * The axis for these sums. The one before stays as long as the bars fit on it; a still hand lets it
 * shrink as well.
 * @param {Axis | null} before
 * @param {Sums} sums
 * @param {boolean} moving
 * @returns {Axis}
 */
export function chooseAxis(before, { reconstruction, kl, logPx }, moving) {
  const smallest = Math.min(reconstruction, -logPx);
  const wanted = smallest - Math.max(2, 0.3 * kl);
  // From 0 on nothing is left out. Only a density's nats lie below.
  const least = smallest >= 0 ? Math.max(0, wanted) : wanted;
  const room = before ? least - before.cut : -1;
  const stays = before && room >= 0 && (moving || room < 0.35 * before.span);
  const cut = stays ? before.cut : Math.floor(least / 5) * 5;
  const needed = (reconstruction + kl - cut) / FULL;
  const fits = before && needed <= before.span && (moving || needed >= 0.6 * before.span);
  const span = fits ? before.span : SPANS.find((size) => size >= needed) ?? needed;
  return { cut, span, broken: cut === 0 ? 0 : 1 };
}
