import { isAsleep } from "../shared/asleep.js";
import { latentName, make, print } from "../shared/dom.js";

/**
 * Where the ELBO goes at a log point: the sum in words, the bar, and KL by dimension.
 * @typedef {import("./frames.js").Point} Point
 */

const SHOWN_SHARES = 6;

export class Terms {
  constructor() {
    this.title = make("h4");
    this.name = make("span");
    this.total = make("b");
    this.reconstruction = make("span", { class: "reconstruction" });
    this.kl = make("span", { class: "kl" });
    this.split = make("span", {}, " = ", this.reconstruction, " + ", this.kl);
    this.sum = make("div", { class: "sum" }, this.name, " ", this.total, this.split);
    this.parts = [make("i", { class: "r" }), make("i", { class: "k" })];
    this.bar = make("div", { class: "bar" }, ...this.parts);
    this.heading = make("h4");
    this.shares = make("div", { class: "shares" });
    /** @type {Point | null} */
    this.shown = null;
    this.top = 0;
    this.most = 0;
  }

  /** @param {Point[]} log the scale of the bars @param {Record<string, string>} words */
  receive(log, words) {
    this.words = words;
    this.title.textContent = words.terms;
    this.heading.textContent = words.shares;
    this.top = Math.max(1e-9, ...log.map((each) => Math.abs(each.reconstruction) + (each.kl ?? 0)));
    this.most = Math.max(1, ...log.flatMap((each) => each.kl_per_dim ?? []));
    this.shown = null;
  }

  /** Say nothing: there are no figures yet. */
  clear() {
    this.shown = null;
    this.name.textContent = this.words?.total ?? "";
    this.total.textContent = "…";
    this.split.hidden = true;
    for (const part of this.parts) part.style.width = "0";
    this.heading.hidden = true;
    this.shares.replaceChildren();
  }

  /** @param {Point} point */
  draw(point) {
    const { words } = this;
    if (point === this.shown || !words) return;
    this.shown = point;
    const kl = point.kl ?? 0;
    // A code without a density has no KL, and then there is no ELBO.
    this.split.hidden = point.kl === null;
    this.name.textContent = point.kl === null ? words.reconstruction : words.total;
    this.total.textContent = print(point.reconstruction + kl);
    this.reconstruction.textContent = `${words.reconstruction} ${print(point.reconstruction)}`;
    this.kl.textContent = `KL ${print(kl)}`;
    [Math.abs(point.reconstruction), kl].forEach((value, at) => {
      this.parts[at].style.width = `${(100 * value) / this.top}%`;
    });
    this.drawShares(point.kl_per_dim ?? [], words);
  }

  /** The largest shares, in the order of their dimensions. @param {number[]} shares @param {Record<string, string>} words */
  drawShares(shares, words) {
    this.heading.hidden = !shares.length;
    const order = shares.map((_, at) => at).sort((a, b) => shares[b] - shares[a]).slice(0, SHOWN_SHARES);
    order.sort((a, b) => a - b);
    if (this.shares.children.length !== 3 * order.length) {
      this.shares.replaceChildren(...order.flatMap(() => [make("span"), make("i"), make("span")]));
    }
    const cells = /** @type {HTMLElement[]} */ ([...this.shares.children]);
    order.forEach((dimension, row) => {
      const [name, bar, value] = cells.slice(3 * row, 3 * row + 3);
      const share = shares[dimension];
      name.textContent = latentName(dimension);
      bar.style.width = `${(100 * share) / this.most}%`;
      value.textContent = isAsleep(share) ? words.asleep : print(share);
      value.className = isAsleep(share) ? "asleep" : "kl";
    });
  }
}
