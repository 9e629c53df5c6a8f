import { openPage, writeParameter } from "../shared/address.js";
import { findBar } from "../shared/bar.js";
import { button, make } from "../shared/dom.js";

/**
 * The guide that floats over the pages: it tells of the page that is open, part by part, and draws a
 * frame around the part that it speaks of. All of it lives in the browser; the server hands over texts.
 */

const PARAMETER = "guide";
const MEMORY = "latent-explorer-guide";
const PACE = 250;
const NARROW = 640;
/** Where components keep their parts to themselves: the latent map, the β lab and the ELBO page's lens. */
const SHADOWED = '.st-key-explore_map *, .st-key-beta_stage *, [class*="st-key-elbo_lens"] *';

/**
 * @typedef {object} Stop one part of a page
 * @property {string} target CSS selectors, the preferred first
 * @property {string} title
 * @property {string} text
 * @property {string} chapter of Learn, "" for none
 * @property {string} read what leads there
 *
 * @typedef {object} Data texts and targets, as `guide.py` describes them
 * @property {Record<string, Stop[]>} pages by the last part of their address
 * @property {Record<"switch" | "switch_help" | "label" | "close" | "back" | "next", string>} words
 */

/** @type {Guide | null} made once, and told of every page */
let floating = null;

/** @param {import("../shared/component.js").Component<[Data]>} component */
export default function mount({ data: [data] }) {
  if (floating) floating.data = data;
  else floating = new Guide(data);
  floating.show(false);
  return undefined;
}

class Guide {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.timer = 0;
    this.placed = "";
    this.frame = make("div", { class: "explorer-guide-frame" });
    this.place = make("span", { class: "place" });
    this.close = button("✕", () => this.go(false), { class: "close" });
    this.title = make("b");
    this.body = make("p", { "aria-live": "polite" });
    this.read = make("a", { class: "read" });
    this.back = button("‹", () => this.go(true, this.at - 1));
    this.next = button("", () => this.go(this.at + 1 < this.stops().length, this.at + 1), { class: "next" });
    this.card = make(
      "section", { class: "explorer-guide" }, make("header", {}, this.place, this.close), this.title, this.body,
      make("footer", {}, this.read, this.back, this.next),
    );
    this.toggle = button("", () => this.go(!this.open, 0), { class: "explorer-guide-switch" });
    this.frame.hidden = this.card.hidden = true;
    document.body.append(this.frame, this.card);
    findBar().append(this.toggle);
    this.listen();
    this.open = recall();
    const asked = Number(new URLSearchParams(window.location.search).get(PARAMETER));
    this.at = 0;
    if (asked >= 1) [this.open, this.at] = [true, asked - 1];
    /** Whether the page is to scroll to the part as soon as that is there. */
    this.wanted = asked >= 1;
    this.shownPage = this.page();
  }

  listen() {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.open && !event.defaultPrevented) this.go(false);
    });
    window.addEventListener("resize", () => this.follow());
    document.addEventListener("scroll", () => this.follow(), { capture: true, passive: true });
  }

  /** The page that is open, by the last part of its address. */
  page() {
    return openPage(Object.keys(this.data.pages));
  }

  stops() {
    return this.data.pages[this.page()];
  }

  /**
   * @param {boolean} open
   * @param {number} [at] the part to speak of
   */
  go(open, at = 0) {
    remember(open);
    [this.open, this.at, this.placed] = [open, at, ""];
    this.show(true);
    if (open) this.next.focus({ preventScroll: true });
    else this.toggle.focus({ preventScroll: true });
  }

  /**
   * Put texts in.
   * @param {boolean} moved whether the visitor asked, so that the page may scroll to the part
   */
  show(moved) {
    const { words } = this.data;
    this.toggle.textContent = words.switch;
    this.toggle.title = words.switch_help;
    this.toggle.setAttribute("aria-pressed", String(this.open));
    this.card.hidden = !this.open;
    this.card.setAttribute("aria-label", words.label);
    document.body.classList.toggle("explorer-guide-open", this.open);
    if (this.shownPage !== this.page()) [this.shownPage, this.at] = [this.page(), 0];
    this.writeAddress();
    window.clearInterval(this.timer);
    if (!this.open) {
      this.frame.hidden = true;
      return;
    }
    const stops = this.stops();
    this.at = Math.min(this.at, stops.length - 1);
    const stop = stops[this.at];
    const last = this.at === stops.length - 1;
    this.close.setAttribute("aria-label", words.close);
    this.back.setAttribute("aria-label", words.back);
    this.next.setAttribute("aria-label", last ? words.close : words.next);
    this.back.hidden = this.at === 0;
    this.next.textContent = last ? "✓" : "›";
    this.place.textContent = `${this.at + 1} / ${stops.length}`;
    this.title.replaceChildren(...tint(stop.title));
    this.body.replaceChildren(...tint(stop.text));
    this.read.hidden = !stop.chapter;
    this.read.textContent = stop.read;
    this.read.href = `learn?chapter=${stop.chapter}`;
    this.timer = window.setInterval(() => this.follow(), PACE);
    this.wanted ||= moved;
    this.follow();
  }

  /** Keep the frame on its part, and the text and the address in step with the page. */
  follow() {
    if (!this.open) return;
    if (this.shownPage !== this.page()) {
      this.show(false);
      return;
    }
    const target = find(this.stops()[this.at].target);
    const state = `${this.shownPage} ${this.at} ${target !== null} ${document.documentElement.lang}`;
    this.frame.hidden = target === null;
    if (target && this.wanted) {
      this.wanted = false;
      target.style.scrollMargin = "76px 0 24px";
      target.scrollIntoView({ block: window.innerWidth <= NARROW ? "start" : "nearest" });
    }
    if (target) {
      const box = target.getBoundingClientRect();
      const [left, top] = [Math.max(box.left - 4, 2), Math.max(box.top - 4, 58)];
      Object.assign(this.frame.style, {
        left: `${left}px`,
        top: `${top}px`,
        width: `${Math.min(box.right + 4, window.innerWidth - 2) - left}px`,
        height: `${Math.max(box.bottom + 4 - top, 0)}px`,
      });
      this.frame.hidden = box.bottom < 64 || box.top > window.innerHeight;
      if (this.placed !== state) this.card.classList.toggle("left", this.covers(box));
    }
    this.placed = state;
    this.writeAddress();
  }

  /**
   * Whether the guide, at the right, would lie over most of what it speaks of, and not so at the left.
   * @param {DOMRect} box
   */
  covers(box) {
    const width = this.card.offsetWidth + 24;
    const right = Math.max(0, box.right - (window.innerWidth - width));
    const left = Math.max(0, width - box.left);
    return right > left;
  }

  /** The address carries the part, so that a link opens the guide at it. */
  writeAddress() {
    writeParameter(PARAMETER, this.open ? String(this.at + 1) : null);
  }
}

/** Whether the guide was open when the visitor was last here. */
function recall() {
  try {
    return window.sessionStorage.getItem(MEMORY) === "open";
  } catch {
    return false;
  }
}

/** @param {boolean} open */
function remember(open) {
  try {
    window.sessionStorage.setItem(MEMORY, open ? "open" : "");
  } catch {
    // Without a memory the guide still works; it is closed on the next visit.
  }
}

/**
 * "@mean[μ]" becomes a span in that role's colour.
 * @param {string} text
 */
function tint(text) {
  return text.split(/(@\w+\[[^\]]*\])/).map((part) => {
    const found = /^@(\w+)\[([^\]]*)\]$/.exec(part);
    return found ? make("span", { class: `role-${found[1]}` }, found[2]) : part;
  });
}

/**
 * The first visible element of a list of selectors, the preferred first, components included.
 * @param {string | undefined} selectors
 */
function find(selectors) {
  if (!selectors) return null;
  /** @type {(Document | ShadowRoot)[]} */
  const roots = [document];
  for (const host of document.querySelectorAll(SHADOWED)) if (host.shadowRoot) roots.push(host.shadowRoot);
  for (const selector of selectors.split(",")) {
    for (const root of roots) {
      for (const element of root.querySelectorAll(selector)) {
        const box = element.getBoundingClientRect();
        if (box.width > 0 && box.height > 0) return /** @type {HTMLElement} */ (element);
      }
    }
  }
  return null;
}
