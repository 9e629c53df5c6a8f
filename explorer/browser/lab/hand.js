import { make } from "../shared/dom.js";

/**
 * A slider under the hand with a button that plays it: over models, or over the steps of a film.
 * It stands between its places while it is dragged or plays, and `settle` brings it to rest.
 */

const GLIDE = 260;

export class Hand {
  /**
   * @param {object} options
   * @param {number} options.pace places a millisecond, when it plays
   * @param {boolean} options.snaps whether it comes to rest on whole places
   * @param {() => void} options.draw
   * @param {() => void} options.rest when the hand let go
   */
  constructor({ pace, snaps, draw, rest }) {
    this.pace = pace;
    this.snaps = snaps;
    this.draw = draw;
    this.rest = rest;
    this.at = 0;
    this.last = 0;
    this.playing = false;
    /** Counts movements: a newer one ends the one before. */
    this.movement = 0;
    this.words = { play: "", pause: "" };
    this.button = make("button", { type: "button", onclick: () => (this.playing ? this.stop() : this.play()) });
    this.slider = make("input", { type: "range", min: "0", step: "any" });
    this.slider.addEventListener("input", () => {
      this.halt();
      this.at = Number(this.slider.value);
      this.draw();
    });
    this.slider.addEventListener("change", () => this.settle());
    this.slider.addEventListener("keydown", (event) => this.leap(event));
  }

  /**
   * @param {number} last its last place
   * @param {string} label
   * @param {{play: string, pause: string}} words
   */
  set(last, label, words) {
    this.last = last;
    this.words = words;
    this.at = Math.min(this.at, last);
    this.slider.max = String(last);
    this.slider.setAttribute("aria-label", label);
    this.name();
  }

  name() {
    const [symbol, ...words] = (this.playing ? this.words.pause : this.words.play).split(" ");
    this.button.replaceChildren(symbol, make("span", {}, ` ${words.join(" ")}`));
    this.button.setAttribute("aria-label", words.join(" "));
    this.button.disabled = this.last < 1;
  }

  /** @param {string} told what a screen reader says of its place */
  show(told) {
    this.slider.value = String(this.at);
    this.slider.setAttribute("aria-valuetext", told);
  }

  halt() {
    this.movement++;
    this.playing = false;
    this.name();
  }

  stop() {
    this.halt();
    this.settle();
  }

  /** @param {number} goal glide there, and rest */
  go(goal) {
    this.halt();
    const [from, start, movement] = [this.at, performance.now(), this.movement];
    const far = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : GLIDE;
    const move = () => {
      if (movement !== this.movement) return;
      const part = far ? Math.min(1, (performance.now() - start) / far) : 1;
      this.at = from + (goal - from) * part;
      this.draw();
      if (part < 1) requestAnimationFrame(move);
      else this.rest();
    };
    move();
  }

  settle() {
    const goal = this.snaps ? Math.round(this.at) : this.at;
    if (goal === this.at) this.rest();
    else this.go(goal);
  }

  play() {
    this.halt();
    this.playing = true;
    if (this.at >= this.last) this.at = 0;
    this.name();
    const movement = this.movement;
    let before = performance.now();
    const move = () => {
      if (movement !== this.movement) return;
      const now = performance.now();
      this.at = Math.min(this.last, this.at + this.pace * (now - before));
      before = now;
      this.draw();
      if (this.at < this.last) requestAnimationFrame(move);
      else this.stop();
    };
    requestAnimationFrame(move);
  }

  /** @param {KeyboardEvent} event */
  leap(event) {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -Infinity, End: Infinity }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    const whole = way > 0 ? Math.floor(this.at) : Math.ceil(this.at);
    this.halt();
    this.at = Math.min(this.last, Math.max(0, whole + way));
    this.draw();
    this.rest();
  }
}
