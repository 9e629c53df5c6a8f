/**
 * A covered picture: uncover its pixels with a brush, by rows or at random. State `mask` is a
 * string of "0" and "1", one per pixel, sent at most once in PAUSE milliseconds while it changes.
 * While it plays, the next step waits for Python's echo of the last one, so that nothing piles up.
 */
const PAUSE = 200;
const STEP_PAUSE = 260;
const PATIENCE = 4000;
const PLAY_STEPS = 28;
const BRUSH = 1.3;
const MODES = /** @type {const} */ (["brush", "rows", "random"]);
/** The buttons that cover everything and that show everything. */
const FILLS = /** @type {const} */ (["cover", "show"]);

/**
 * @typedef {(typeof MODES)[number]} Mode
 * @typedef {"cover" | "show" | "play" | "pause" | "slider" | "picture" | "count"} Word
 *
 * @typedef {[number, number]} Point in the picture's pixels
 *
 * @typedef {object} Data what Python tells the brush
 * @property {number[]} shape (C, H, W)
 * @property {number[]} pixels 0 to 255
 * @property {number[]} random the places in the order in which they are uncovered
 * @property {Mode} mode in which it opens
 * @property {string} start the mask on which it opens
 * @property {Record<Mode | Word, string>} words
 * @property {unknown} stamp another one covers the picture anew
 * @property {string} echo the mask that Python has seen last
 */

/** @type {WeakMap<object, PixelBrush>} */
const mounted = new WeakMap();

/** @param {import("../shared/component.js").Component<[Data]>} component */
export default function mount({ data: [data], parentElement, setStateValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".pixel-brush"));
  let brush = mounted.get(root);
  if (!brush || brush.stamp !== data.stamp) {
    brush?.stop();
    brush = new PixelBrush(root, data);
    mounted.set(root, brush);
  }
  const shown = brush;
  shown.send = (mask) => setStateValue("mask", mask);
  shown.hear(data);
  // Called too after a call that newer data overtook (shared/component.js): the brush stays.
  return () => {
    if (!parentElement.isConnected) shown.stop();
  };
}

class PixelBrush {
  /**
   * @param {HTMLElement} root
   * @param {Data} data
   */
  constructor(root, data) {
    this.root = root;
    this.stamp = data.stamp;
    this.channels = data.shape[0];
    this.height = data.shape[1];
    this.width = data.shape[2];
    this.pixels = data.pixels;
    this.orders = { rows: [...Array(this.height * this.width).keys()], random: data.random };
    this.mask = Uint8Array.from(data.start, Number);
    /** @type {Data["words"] | null} */
    this.words = null;
    this.echo = "";
    /** @type {((mask: string) => void) | null} */
    this.send = null;
    this.sent = 0;
    /** @type {string | undefined} the mask that was sent last */
    this.shown = undefined;
    /** @type {Point | undefined} where the brush was last */
    this.last = undefined;
    this.playing = false;
    this.ticker = 0;
    /** @type {number | undefined} */
    this.timer = undefined;
    /** @type {HTMLCanvasElement} */
    this.canvas = this.find("canvas");
    this.canvas.width = this.width;
    this.canvas.height = this.height;
    root.style.setProperty("--ratio", `${this.width} / ${this.height}`);
    /** @type {HTMLInputElement} */
    this.slider = this.find("input");
    this.listen();
    /** @type {Mode} */
    this.mode = data.mode;
    this.setMode(data.mode);
  }

  /**
   * @template {HTMLElement} Found
   * @param {string} selector of a part that the markup has
   * @returns {Found}
   */
  find(selector) {
    return /** @type {Found} */ (this.root.querySelector(selector));
  }

  /**
   * @param {Mode | Word} role
   * @returns {HTMLButtonElement}
   */
  button(role) {
    return this.find(`[data-role=${role}]`);
  }

  /**
   * Words may change with the language, the echo with every answer.
   * @param {Data} data
   */
  hear(data) {
    this.words = data.words;
    this.echo = data.echo;
    for (const role of [...MODES, ...FILLS]) this.button(role).textContent = data.words[role];
    this.slider.setAttribute("aria-label", data.words.slider);
    this.canvas.setAttribute("aria-label", data.words.picture);
    this.paint();
  }

  listen() {
    for (const mode of MODES) this.button(mode).onclick = () => this.setMode(mode);
    FILLS.forEach((role, value) => {
      this.button(role).onclick = () => this.fill(value);
    });
    this.button("play").onclick = () => (this.playing ? this.pause() : this.play());
    this.slider.oninput = () => {
      this.pause();
      this.uncover(Number(this.slider.value));
    };
    /** @param {PointerEvent} event */
    const draw = (event) => {
      if (this.mode !== "brush" || !(event.buttons & 1)) return;
      const box = this.canvas.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * this.width - 0.5;
      const y = ((event.clientY - box.top) / box.height) * this.height - 0.5;
      /** @type {Point} */
      const here = [x, y];
      this.stroke(this.last ?? here, here);
      this.last = here;
    };
    this.canvas.onpointerdown = (event) => {
      this.last = undefined;
      this.canvas.setPointerCapture(event.pointerId);
      draw(event);
    };
    this.canvas.onpointermove = draw;
    this.canvas.onpointerup = () => {
      this.last = undefined;
      this.report(true);
    };
  }

  /** Rows count as they are, random pixels in as many equal helpings. */
  steps() {
    return this.mode === "rows" ? this.height : PLAY_STEPS;
  }

  /**
   * @param {Mode} mode
   * @param {number} [step]
   */
  setMode(mode, step = undefined) {
    this.pause();
    this.mode = mode;
    this.root.dataset.mode = mode;
    for (const name of MODES) this.button(name).setAttribute("aria-checked", String(name === mode));
    if (mode === "brush") {
      this.paint();
      return;
    }
    this.slider.max = String(this.steps());
    const share = this.count() / this.mask.length;
    this.uncover(step ?? Math.round(share * this.steps()));
  }

  /** @param {number} value 0 covers all, 1 shows all */
  fill(value) {
    this.pause();
    if (this.mode === "brush") {
      this.mask.fill(value);
      this.report(true);
    } else this.uncover(value * this.steps());
  }

  /** @param {number} step */
  uncover(step) {
    this.slider.value = String(step);
    this.mask.fill(0);
    const count = Math.round((step / this.steps()) * this.mask.length);
    const order = this.mode === "random" ? this.orders.random : this.orders.rows;
    for (const place of order.slice(0, count)) this.mask[place] = 1;
    this.report(false);
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  stroke([x0, y0], [x1, y1]) {
    const radius = BRUSH * Math.max(1, Math.max(this.width, this.height) / 28);
    const pieces = Math.max(1, Math.ceil(2 * Math.hypot(x1 - x0, y1 - y0)));
    for (let piece = 0; piece <= pieces; piece++) {
      const x = x0 + ((x1 - x0) * piece) / pieces;
      const y = y0 + ((y1 - y0) * piece) / pieces;
      for (let r = Math.max(0, Math.ceil(y - radius)); r <= Math.min(this.height - 1, y + radius); r++) {
        for (let c = Math.max(0, Math.ceil(x - radius)); c <= Math.min(this.width - 1, x + radius); c++) {
          if (Math.hypot(r - y, c - x) <= radius) this.mask[r * this.width + c] = 1;
        }
      }
    }
    this.report(false);
  }

  play() {
    if (Number(this.slider.value) >= this.steps()) this.uncover(0);
    this.playing = true;
    this.paint();
    const tick = () => {
      if (!this.playing) return;
      const lately = performance.now() - this.sent < PATIENCE;
      const waiting = lately && this.shown && this.echo !== this.shown;
      if (!waiting) {
        const next = Number(this.slider.value) + 1;
        if (next > this.steps()) return this.pause();
        this.uncover(next);
      }
      this.ticker = window.setTimeout(tick, STEP_PAUSE);
    };
    tick();
  }

  pause() {
    this.playing = false;
    window.clearTimeout(this.ticker);
    this.paint();
  }

  stop() {
    this.playing = false;
    window.clearTimeout(this.ticker);
    window.clearTimeout(this.timer);
  }

  /** @param {boolean} now whether it may not wait */
  report(now) {
    this.paint();
    const send = () => {
      window.clearTimeout(this.timer);
      this.timer = undefined;
      const mask = Array.from(this.mask).join("");
      if (mask === this.shown || !this.send) return;
      this.sent = performance.now();
      this.shown = mask;
      this.send(mask);
    };
    const wait = this.sent + PAUSE - performance.now();
    if (now || wait <= 0) send();
    else if (this.timer === undefined) this.timer = window.setTimeout(send, wait);
  }

  count() {
    return this.mask.reduce((sum, value) => sum + value, 0);
  }

  paint() {
    const context = this.canvas.getContext("2d");
    if (!context || !this.words) return;
    const image = context.createImageData(this.width, this.height);
    const size = this.height * this.width;
    for (let place = 0; place < size; place++) {
      const row = Math.floor(place / this.width);
      const cover = (row + place % this.width) % 2 ? 116 : 128;
      for (let channel = 0; channel < 3; channel++) {
        const source = this.pixels[Math.min(channel, this.channels - 1) * size + place];
        image.data[4 * place + channel] = this.mask[place] ? source : cover;
      }
      image.data[4 * place + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    const play = this.button("play");
    play.textContent = this.playing ? "❚❚" : "▶";
    play.setAttribute("aria-label", this.playing ? this.words.pause : this.words.play);
    const text = this.words.count.replace("{count}", String(this.count())).replace("{total}", String(size));
    this.find("output").textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
  }
}
