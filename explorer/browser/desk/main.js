/**
 * The desk of runs: search, order, ticks by id, a curve and the next steps in every row.
 *
 * States: `ticked` (ids) and `wanted` (ids whose curves are still to come); trigger `act`. Rows are
 * added as they are scrolled to: thousands are listed, a screenful is drawn.
 */

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} name
 * @property {string} note what tells it from others of its name
 * @property {string[]} tags
 * @property {string} kind
 * @property {boolean} own
 * @property {string} images
 * @property {number} latents
 * @property {string} likelihood
 * @property {string} beta
 * @property {number | null} weight β as a number, for the order
 * @property {string} state
 * @property {boolean} live
 * @property {number | null} elbo −ELBO, nats per image
 * @property {number | null} reconstruction
 * @property {number | null} kl
 * @property {string} split
 * @property {number} created Unix seconds
 * @property {string} made
 * @property {number[] | null} curve null before it was asked for
 * @property {string[]} acts
 *
 * @typedef {{rows: Row[], ticked: string[], led: number, words: Record<string, string>}} Data
 * @typedef {"name" | "elbo" | "reconstruction" | "kl" | "weight" | "latents" | "images" | "state" | "created"} Field
 */

const CHUNK = 40;
/** @type {{field: Field, word: string, style: string}[]} */
const COLUMNS = [
  { field: "elbo", word: "elbo", style: "elbo" },
  { field: "reconstruction", word: "reconstruction", style: "middle wide" },
  { field: "kl", word: "kl", style: "middle" },
  { field: "weight", word: "beta", style: "middle" },
  { field: "latents", word: "latents", style: "middle" },
  { field: "images", word: "images", style: "text middle" },
  { field: "state", word: "state", style: "text middle state" },
  { field: "created", word: "made", style: "middle wide" },
];

/** @type {WeakMap<object, Desk>} */
const mounted = new WeakMap();

/** @param {import("../shared/component.js").Component<[Data]>} component */
export default function mount({ data: [data], parentElement, setStateValue, setTriggerValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".desk"));
  const desk = mounted.get(root) ?? new Desk(root);
  mounted.set(root, desk);
  desk.say = setStateValue;
  desk.trigger = setTriggerValue;
  desk.show(data);
  return undefined;
}

class Desk {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Data} */
    this.data = { rows: [], ticked: [], led: 0, words: {} };
    /** @type {(name: string, value: unknown) => void} */
    this.say = () => {};
    /** @type {(name: string, value: unknown) => void} */
    this.trigger = () => {};
    /** @type {Set<string>} */
    this.ticked = new Set();
    /** How often Back or Forward has brought other ticks. */
    this.led = 0;
    /** @type {{field: Field, down: boolean}} */
    this.order = { field: "created", down: true };
    this.isOpen = false;
    this.shown = CHUNK;
    /** @type {Map<string, {line: HTMLTableRowElement, told: string}>} */
    this.lines = new Map();
    /** @type {Set<string>} */
    this.wanted = new Set();
    this.search = make("input", { type: "search" });
    this.search.addEventListener("input", () => this.restart());
    this.count = make("span", { class: "count", "aria-live": "polite" });
    this.chosen = make("span", { class: "chosen" });
    this.head = make("tr");
    this.body = make("tbody");
    this.end = make("div", { class: "none" });
    this.scroll = make(
      "div", { class: "scroll" }, make("table", {}, make("thead", {}, this.head), this.body), this.end,
    );
    root.replaceChildren(make("div", { class: "bar" }, this.search, this.count, this.chosen), this.scroll);
    new IntersectionObserver((seen) => {
      if (seen.some((entry) => entry.isIntersecting) && this.shown < this.found().length) {
        this.shown += CHUNK;
        this.draw();
      }
    }, { rootMargin: "300px" }).observe(this.end);
  }

  /** @param {Data} data */
  show(data) {
    // The ticks are the visitor's: Python sets them when the table comes on the page, and only then.
    const led = this.isOpen && data.led !== this.led;
    if (led || !this.isOpen) this.ticked = new Set(data.ticked);
    this.led = data.led;
    if (led) this.say("ticked", [...this.ticked]);
    this.isOpen = true;
    this.data = data;
    const ids = new Set(data.rows.map((row) => row.id));
    // A run that went takes its tick along: no other row inherits it.
    const gone = [...this.ticked].filter((id) => !ids.has(id));
    for (const id of gone) this.ticked.delete(id);
    // What is taken back from the bin comes back unticked, for the page too.
    if (gone.length) this.say("ticked", [...this.ticked]);
    for (const [id, { line }] of this.lines) {
      if (ids.has(id)) continue;
      line.remove();
      this.lines.delete(id);
    }
    this.search.placeholder = data.words.search;
    this.search.setAttribute("aria-label", data.words.search);
    this.drawHead();
    this.draw();
  }

  restart() {
    this.shown = CHUNK;
    this.scroll.scrollTop = 0;
    this.draw();
  }

  /** The rows that the search finds, in order. */
  found() {
    const asked = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = this.data.rows.filter((row) => {
      const told = [row.name, row.id, row.note, row.tags.join(" "), row.images, row.likelihood, row.state, row.kind]
        .join(" ").toLowerCase();
      return asked.every((word) => told.includes(word));
    });
    const { field, down } = this.order;
    return kept.sort((one, other) => {
      const [a, b] = [one[field], other[field]];
      if (a === null || b === null) return Number(a === null) - Number(b === null);
      const way = typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
      return down ? -way : way;
    });
  }

  drawHead() {
    const { words } = this.data;
    /** @param {Field} field @param {string} word @param {string} style */
    const head = (field, word, style) => {
      const { order } = this;
      const sorted = order.field === field ? (order.down ? "descending" : "ascending") : "none";
      const press = make("button", { type: "button" }, words[word]);
      press.addEventListener("click", () => {
        this.order = { field, down: order.field === field ? !order.down : field === "created" };
        this.drawHead();
        this.restart();
      });
      return make("th", { class: style, "aria-sort": sorted, scope: "col" }, press);
    };
    this.head.replaceChildren(
      make("td"),
      head("name", "name", "text"),
      make("th", { class: "text" }, words.curve),
      ...COLUMNS.map(({ field, word, style }) => head(field, word, style)),
      make("td"),
    );
  }

  draw() {
    const found = this.found();
    const shown = found.slice(0, this.shown);
    const lines = shown.map((row) => this.line(row));
    if (lines.length !== this.body.children.length || lines.some((line, at) => line !== this.body.children[at])) {
      this.body.replaceChildren(...lines);
    }
    const { words, rows } = this.data;
    this.count.textContent = found.length === rows.length
      ? fill(words.count, { count: rows.length })
      : fill(words.found, { found: found.length, count: rows.length });
    this.end.textContent = found.length ? "" : words.none;
    this.drawChosen();
    const missing = shown.filter((row) => row.curve === null && !this.wanted.has(row.id));
    if (missing.length) {
      for (const row of missing) this.wanted.add(row.id);
      this.say("wanted", [...this.wanted]);
    }
  }

  /** @param {Row} row */
  line(row) {
    const told = JSON.stringify(row);
    const present = this.lines.get(row.id);
    if (present?.told === told) {
      this.mark(present.line, this.ticked.has(row.id));
      return present.line;
    }
    const { words } = this.data;
    const box = make("input", { type: "checkbox", "aria-label": fill(words.tick, { name: row.name }) });
    const line = make("tr", { "data-id": row.id });
    box.addEventListener("change", () => {
      if (box.checked) this.ticked.add(row.id);
      else this.ticked.delete(row.id);
      this.mark(line, box.checked);
      this.drawChosen();
      this.say("ticked", [...this.ticked]);
    });
    const named = make("td", { class: "name text" }, make("b", {}, row.name));
    if (row.note) named.append(make("small", {}, row.note));
    for (const tag of row.tags) named.append(make("span", { class: "tag" }, tag));
    const acts = make("div", { class: "acts" });
    for (const act of row.acts) {
      const press = make("button", { type: "button" }, words[act]);
      press.addEventListener("click", () => this.act(act, [row.id]));
      acts.append(press);
    }
    const figure = make("td", { class: "elbo" }, print(row.elbo ?? row.reconstruction));
    // The head says −ELBO, and on a phone there is no head.
    figure.dataset.word = words[row.elbo === null ? "reconstruction" : "elbo"];
    if (row.elbo === null && row.reconstruction !== null) {
      figure.append(make("small", { class: "which" }, words.reconstruction));
    }
    if (row.split) figure.append(make("small", {}, row.split));
    const state = make("td", { class: "text middle state" }, make("span", { class: row.live ? "live" : "" }, row.state));
    if (row.kind) state.append(make("small", {}, row.kind));
    line.append(
      make("td", { class: "box" }, box),
      named,
      make("td", { class: "curve" }, sketch(row.curve ?? [], words.curve)),
      figure,
      make("td", { class: "middle wide" }, print(row.reconstruction)),
      make("td", { class: "middle" }, print(row.kl)),
      make("td", { class: "middle" }, row.beta),
      make("td", { class: "middle" }, String(row.latents)),
      make("td", { class: "text middle" }, row.images, make("small", {}, row.likelihood)),
      state,
      make("td", { class: "middle wide" }, row.made),
      make("td", { class: "last" }, acts),
    );
    this.mark(line, this.ticked.has(row.id));
    this.lines.set(row.id, { line, told });
    return line;
  }

  /** @param {HTMLTableRowElement} line @param {boolean} isTicked */
  mark(line, isTicked) {
    line.setAttribute("aria-selected", String(isTicked));
    const box = line.querySelector("input");
    if (box) box.checked = isTicked;
  }

  drawChosen() {
    const { words, rows } = this.data;
    const ids = [...this.ticked];
    const isOwn = ids.every((id) => rows.find((row) => row.id === id)?.own);
    if (!ids.length) {
      this.chosen.replaceChildren(make("span", { class: "count" }, words.hint));
      return;
    }
    /** @param {string} act @param {boolean} may */
    const offer = (act, may) => {
      const press = make("button", { type: "button" }, words[act]);
      press.disabled = !may;
      press.addEventListener("click", () => this.act(act, ids));
      return press;
    };
    const clear = make("button", { type: "button" }, words.clear);
    clear.addEventListener("click", () => {
      this.ticked.clear();
      this.draw();
      this.say("ticked", []);
    });
    const see = make("button", { type: "button" }, words.see);
    see.disabled = ids.length < 2;
    see.addEventListener("click", () => showBeside());
    this.chosen.replaceChildren(
      make("span", { class: "count" }, fill(words.ticked, { count: ids.length })),
      offer("rename", ids.length === 1 && isOwn),
      offer("export", ids.length === 1),
      offer("delete", isOwn),
      see,
      clear,
    );
  }

  /** @param {string} action @param {string[]} ids */
  act(action, ids) {
    this.trigger("act", { action, ids });
  }
}

/** On a phone the runs that stand side by side are below a long table. */
function showBeside() {
  const beside = /** @type {HTMLElement | null} */ (document.querySelector(".st-key-runs_beside"));
  if (!beside) return;
  beside.style.scrollMarginTop = "5rem"; // The app's bar lies over the page.
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  beside.scrollIntoView({ behavior: isCalm ? "auto" : "smooth", block: "start" });
}

/** @param {number | null} value */
function print(value) {
  if (value === null) return "";
  const told = value.toFixed(2);
  return (Number(told) === 0 ? told.replace("-", "") : told).replace("-", "−");
}

/** @param {string} words @param {Record<string, string | number>} values */
function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/**
 * A small curve without axes: it shows the way, the figure beside it tells how far.
 * @param {number[]} values
 * @param {string} label
 */
function sketch(values, label) {
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawn.setAttribute("viewBox", "0 0 100 24");
  drawn.setAttribute("preserveAspectRatio", "none");
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", label);
  if (values.length < 2) return drawn;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const points = values.map((value, at) => {
    const y = high > low ? 22 - (20 * (value - low)) / (high - low) : 12;
    return `${((100 * at) / (values.length - 1)).toFixed(1)} ${y.toFixed(1)}`;
  });
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", `M${points.join("L")}`);
  drawn.append(path);
  return drawn;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
