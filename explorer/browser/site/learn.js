import { loadBytes } from "./data.js";
import { frame } from "./frame.js";

/**
 * A chapter of Learn: its controls choose among stops that were computed beforehand. They are loaded at
 * the first touch, or at once where the address asks for another stop than the page shows.
 * @typedef {{pieces: string[], stops: Record<string, number>[]}} Stops
 */

/** Parts of a chapter that `only` knows, by the classes that stand for them. */
const PARTS = ["prose", "figures", "question"];

class Chapter {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {(HTMLInputElement | HTMLSelectElement | HTMLButtonElement)[]} */
    this.controls = Array.from(root.querySelectorAll("[data-key]"));
    /** @type {Promise<Stops> | null} */
    this.stops = null;
    for (const control of this.controls) {
      control.addEventListener("input", () => this.move());
      if (control instanceof HTMLButtonElement) control.addEventListener("click", () => this.turn(control));
    }
    window.addEventListener("hashchange", () => this.readAddress() && this.show());
    if (this.readAddress()) this.show();
    this.name();
    root.dataset.ready = "true";
  }

  /**
   * Go to a button's next stop, after the last to the first.
   * @param {HTMLButtonElement} button
   */
  turn(button) {
    button.value = String((Number(button.value) + 1) % this.optionsOf(button).length);
    this.move();
  }

  move() {
    const values = this.controls.map((control) => `${control.dataset.key}=${this.valueOf(control)}`);
    window.history.replaceState(window.history.state, "", `#${values.join("&")}`);
    this.show();
  }

  /** @param {HTMLElement & {value: string}} control */
  optionsOf(control) {
    return /** @type {string[]} */ (JSON.parse(control.dataset.options ?? "[]"));
  }

  /** @param {HTMLElement & {value: string}} control */
  valueOf(control) {
    return this.optionsOf(control)[Number(control.value)];
  }

  /** Whether the address moved a slider; what it cannot mean is passed over. */
  readAddress() {
    const asked = new URLSearchParams(window.location.hash.slice(1));
    let moved = false;
    for (const control of this.controls) {
      const place = this.optionsOf(control).indexOf(asked.get(control.dataset.key ?? "") ?? "");
      if (place < 0 || place === Number(control.value)) continue;
      control.value = String(place);
      moved = true;
    }
    return moved;
  }

  /** Say where the controls stand; a button that means nothing there is off. */
  name() {
    const values = new Map(this.controls.map((control) => [control.dataset.key, this.valueOf(control)]));
    for (const control of this.controls) {
      const value = this.valueOf(control);
      const [key, wanted] = (control.dataset.onlyWith ?? "").split("=");
      if (key) control.disabled = values.get(key) !== wanted;
      const output = control.parentElement?.querySelector("output");
      if (!(control instanceof HTMLInputElement) || !output) continue;
      control.setAttribute("aria-valuetext", value);
      output.textContent = value;
    }
  }

  async show() {
    this.name();
    this.stops ??= loadBytes(this.root.dataset.source ?? "").then((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
    const { pieces, stops } = await this.stops;
    // Where the sliders stand by now: the hand may have moved on while the stops were loaded.
    let place = 0;
    for (const control of this.controls) place = place * this.optionsOf(control).length + Number(control.value);
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
  frame(PARTS);
  Object.assign(root, { chapter: new Chapter(root) });
}
