import { loadBytes } from "./data.js";
import { frame } from "./frame.js";

/**
 * A chapter of Learn: its sliders choose among stops that were computed beforehand. They are loaded at
 * the first touch, or at once where the address asks for another stop than the page shows.
 * @typedef {{pieces: string[], stops: Record<string, number>[]}} Stops
 */

class Chapter {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {HTMLInputElement[]} */
    this.sliders = Array.from(root.querySelectorAll("input[data-key]"));
    /** @type {Promise<Stops> | null} */
    this.stops = null;
    for (const slider of this.sliders) slider.addEventListener("input", () => this.move());
    window.addEventListener("hashchange", () => this.readAddress() && this.show());
    if (this.readAddress()) this.show();
    this.name();
    root.dataset.ready = "true";
  }

  move() {
    const values = this.sliders.map((slider) => `${slider.dataset.key}=${this.valueOf(slider)}`);
    window.history.replaceState(window.history.state, "", `#${values.join("&")}`);
    this.show();
  }

  /** @param {HTMLInputElement} slider */
  optionsOf(slider) {
    return /** @type {string[]} */ (JSON.parse(slider.dataset.options ?? "[]"));
  }

  /** @param {HTMLInputElement} slider */
  valueOf(slider) {
    return this.optionsOf(slider)[Number(slider.value)];
  }

  /** Whether the address moved a slider; what it cannot mean is passed over. */
  readAddress() {
    const asked = new URLSearchParams(window.location.hash.slice(1));
    let moved = false;
    for (const slider of this.sliders) {
      const place = this.optionsOf(slider).indexOf(asked.get(slider.dataset.key ?? "") ?? "");
      if (place < 0 || place === Number(slider.value)) continue;
      slider.value = String(place);
      moved = true;
    }
    return moved;
  }

  name() {
    for (const slider of this.sliders) {
      const value = this.valueOf(slider);
      slider.setAttribute("aria-valuetext", value);
      const output = slider.parentElement?.querySelector("output");
      if (output) output.textContent = value;
    }
  }

  async show() {
    this.name();
    this.stops ??= loadBytes(this.root.dataset.source ?? "").then((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
    const { pieces, stops } = await this.stops;
    // Where the sliders stand by now: the hand may have moved on while the stops were loaded.
    let place = 0;
    for (const slider of this.sliders) place = place * (Number(slider.max) + 1) + Number(slider.value);
    for (const [name, piece] of Object.entries(stops[place])) {
      const slot = /** @type {HTMLElement | null} */ (this.root.querySelector(`[data-slot="${name}"]`));
      if (!slot || slot.dataset.piece === String(piece)) continue;
      slot.dataset.piece = String(piece);
      slot.innerHTML = pieces[piece];
    }
  }
}

const root = document.getElementById("learn");
if (root) {
  frame();
  Object.assign(root, { chapter: new Chapter(root) });
}
