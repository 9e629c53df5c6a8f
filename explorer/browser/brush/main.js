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

/** @type {WeakMap<object, any>} */
const mounted = new WeakMap();

/** @param {any} component Streamlit's FrontendRendererArgs */
export default function mount(component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".pixel-brush");
  let brush = mounted.get(root);
  if (!brush || brush.stamp !== data.stamp) {
    brush?.stop();
    brush = new PixelBrush(root, data);
    mounted.set(root, brush);
  }
  brush.send = (mask) => setStateValue("mask", mask);
  brush.hear(data);
  return () => brush.stop();
}

class PixelBrush {
  constructor(root, data) {
    this.root = root;
    this.stamp = data.stamp;
    [this.channels, this.height, this.width] = data.shape;
    this.pixels = data.pixels;
    this.orders = { rows: [...Array(this.height * this.width).keys()], random: data.random };
    this.mask = new Uint8Array(this.height * this.width);
    this.sent = 0;
    this.canvas = this.find("canvas");
    this.canvas.width = this.width;
    this.canvas.height = this.height;
    root.style.setProperty("--ratio", `${this.width} / ${this.height}`);
    this.slider = this.find("input");
    this.listen();
    this.mode = "rows";
    this.setMode("rows", Math.round(data.share * this.height));
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  /** Words may change with the language, the echo with every answer. */
  hear(data) {
    this.words = data.words;
    this.echo = data.echo;
    for (const role of ["brush", "rows", "random", "cover", "show"]) {
      this.find(`[data-role=${role}]`).textContent = data.words[role];
    }
    this.slider.setAttribute("aria-label", data.words.slider);
    this.canvas.setAttribute("aria-label", data.words.picture);
    this.paint();
  }

  listen() {
    for (const mode of ["brush", "rows", "random"]) {
      this.find(`[data-role=${mode}]`).onclick = () => this.setMode(mode);
    }
    this.find("[data-role=cover]").onclick = () => this.fill(0);
    this.find("[data-role=show]").onclick = () => this.fill(1);
    this.find("[data-role=play]").onclick = () => (this.playing ? this.pause() : this.play());
    this.slider.oninput = () => {
      this.pause();
      this.uncover(Number(this.slider.value));
    };
    const draw = (event) => {
      if (this.mode !== "brush" || !(event.buttons & 1)) return;
      const box = this.canvas.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * this.width - 0.5;
      const y = ((event.clientY - box.top) / box.height) * this.height - 0.5;
      this.stroke(this.last ?? [x, y], [x, y]);
      this.last = [x, y];
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

  setMode(mode, step = undefined) {
    this.pause();
    this.mode = mode;
    this.root.dataset.mode = mode;
    for (const name of ["brush", "rows", "random"]) {
      this.find(`[data-role=${name}]`).setAttribute("aria-checked", String(name === mode));
    }
    if (mode === "brush") {
      this.paint();
      return;
    }
    this.slider.max = this.steps();
    const share = this.count() / this.mask.length;
    this.uncover(step ?? Math.round(share * this.steps()));
  }

  fill(value) {
    this.pause();
    if (this.mode === "brush") {
      this.mask.fill(value);
      this.report(true);
    } else this.uncover(value * this.steps());
  }

  uncover(step) {
    this.slider.value = step;
    this.mask.fill(0);
    const count = Math.round((step / this.steps()) * this.mask.length);
    for (const place of this.orders[this.mode].slice(0, count)) this.mask[place] = 1;
    this.report(false);
  }

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
    if (this.words) this.paint();
  }

  stop() {
    this.playing = false;
    window.clearTimeout(this.ticker);
    window.clearTimeout(this.timer);
  }

  report(now) {
    if (this.words) this.paint();
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
    const play = this.find("[data-role=play]");
    play.textContent = this.playing ? "❚❚" : "▶";
    play.setAttribute("aria-label", this.playing ? this.words.pause : this.words.play);
    const text = this.words.count
      .replace("{count}", this.count())
      .replace("{total}", size);
    this.find("output").textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
  }
}
