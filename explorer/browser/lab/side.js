import { showPictures } from "../film/pictures.js";
import { isAsleep } from "../shared/asleep.js";
import { make, print } from "../shared/dom.js";
import { figuresAt, frameAt, mixShares } from "./line.js";

/**
 * Beside the map: where the ELBO goes, KL by dimension, and the pictures. Figures are those of a
 * model; on the way between two of them bars and pictures pass over, and no figure stands there.
 * @typedef {import("./line.js").Member} Member
 */

const SHOWN_SHARES = 4;

export class Side {
  constructor() {
    this.sum = make("div", { class: "sum" });
    this.unit = make("small");
    this.bar = make("div", { class: "bar" }, make("i", { class: "r" }), make("i", { class: "k" }));
    this.shares = make("div", { class: "shares" });
    this.rows = /** @type {const} */ (["inputs", "made", "drawn"]).map((name) => {
      const canvas = make("canvas", { role: "img" });
      const label = make("span");
      return { name, canvas, label };
    });
    this.strip = make("div", { class: "strip" }, ...this.rows.flatMap(({ label, canvas }) => [label, canvas]));
    this.root = make("div", { class: "side" }, this.sum, this.bar, this.unit, this.shares, this.strip);
  }

  /**
   * @param {Member} one
   * @param {Member} other
   * @param {number} part 0 on a model
   * @param {number} step
   * @param {boolean} isEnd whether that is the end of the training
   * @param {import("./main.js").Data} data
   */
  draw(one, other, part, step, isEnd, { words, inputs, members }) {
    const [here, there] = [one, other].map((member) => figuresAt(member, isEnd ? null : step));
    const isModel = part === 0;
    const tell = (/** @type {number} */ value) => (isModel ? print(value) : "…");
    const kl = here.kl ?? 0;
    this.sum.replaceChildren(
      `${words.total} `, make("b", {}, tell(here.reconstruction + kl)), " = ",
      make("span", { class: "reconstruction" }, `${words.reconstruction} ${tell(here.reconstruction)}`), " + ",
      make("span", { class: "kl" }, `KL ${tell(kl)}`),
    );
    this.unit.textContent = words.unit.replace("{split}", isEnd ? one.split : one.logged);
    const blend = (/** @type {number} */ a, /** @type {number} */ b) => a + part * (b - a);
    const top = Math.max(1e-9, ...members.map(({ final }) => Math.abs(final.reconstruction) + (final.kl ?? 0)));
    const [r, k] = /** @type {HTMLElement[]} */ ([...this.bar.children]);
    r.style.width = `${Math.min(100, (100 * Math.abs(blend(here.reconstruction, there.reconstruction))) / top)}%`;
    k.style.width = `${Math.min(100, (100 * blend(kl, there.kl ?? 0)) / top)}%`;
    this.drawShares(mixShares(here.kl_per_dim ?? [], there.kl_per_dim ?? [], part), isModel, members, words);
    this.drawPictures(frameAt(one, step), frameAt(other, step), part, inputs, words);
  }

  /**
   * The largest shares, largest first: numbers of latents are each model's own.
   * @param {number[]} shares
   * @param {boolean} isModel
   * @param {import("./main.js").SentMember[]} members
   * @param {Record<string, string>} words
   */
  drawShares(shares, isModel, members, words) {
    const largest = [...shares].sort((a, b) => b - a).slice(0, SHOWN_SHARES);
    const most = Math.max(1, ...members.flatMap(({ final }) => final.kl_per_dim ?? []));
    if (this.shares.children.length !== 3 * largest.length) {
      this.root.style.setProperty("--shares", String(largest.length));
      this.shares.replaceChildren(...largest.flatMap(() => [make("span"), make("i"), make("span")]));
    }
    const cells = /** @type {HTMLElement[]} */ ([...this.shares.children]);
    largest.forEach((share, rank) => {
      const [name, bar, value] = cells.slice(3 * rank, 3 * rank + 3);
      name.textContent = words.rank.replace("{rank}", String(rank + 1));
      bar.style.width = `${Math.min(100, (100 * share) / most)}%`;
      const sleeps = isAsleep(share);
      value.textContent = isModel ? (sleeps ? words.asleep : print(share)) : "…";
      value.className = sleeps ? "asleep" : "kl";
    });
  }

  /**
   * @param {import("./line.js").Frame} one
   * @param {import("./line.js").Frame} other
   * @param {number} part
   * @param {import("../film/frames.js").Pictures | null} inputs
   * @param {Record<string, string>} words
   */
  drawPictures(one, other, part, inputs, words) {
    const rows = {
      inputs: [inputs, inputs],
      made: [one.made, other.made],
      drawn: [one.drawn, other.drawn],
    };
    for (const { name, canvas, label } of this.rows) {
      const [former, later] = rows[name];
      canvas.hidden = label.hidden = !former;
      if (!former) continue;
      label.textContent = words[`short_${name}`];
      canvas.setAttribute("aria-label", words[name]);
      canvas.title = words[name];
      showPictures(canvas, former, later ?? former, part);
    }
  }
}
