/**
 * The card that floats over the pages: it explains in a few sentences, and draws a frame around the
 * part of the page that it speaks of. All of it lives in the browser; the server hands over texts.
 */

const PARAMETER = "card";
const MEMORY = "latent-explorer-card";
const PACE = 250;
const NARROW = 640;
/** Where components keep their parts to themselves: the latent map and the ELBO page's lens. */
const SHADOWED = '.st-key-explore_map *, [class*="st-key-elbo_lens"] *';
const LINKS = '[data-testid^="stTopNavLink"], [data-testid="stSidebarNavLink"]';

/**
 * @typedef {object} Card
 * @property {string} name "<chapter>.<number>"
 * @property {string} chapter
 * @property {Record<string, string>} targets CSS selectors by page
 * @property {string} title
 * @property {string} text
 *
 * @typedef {object} Data texts and targets, as `card.py` describes them
 * @property {Card[]} cards
 * @property {Record<string, string>} chapters titles by name
 * @property {Record<string, string>} pages titles of the pages that have something to frame
 * @property {string[]} elsewhere the other pages
 * @property {Record<"switch" | "switch_help" | "label" | "chapter" | "close" | "back" | "next" | "see", string>} words
 */

/** @type {FloatingCard | null} made once, and told of every page */
let floating = null;

/** @param {import("../shared/component.js").Component<Data>} component */
export default function mount({ data }) {
  if (floating) floating.data = data;
  else floating = new FloatingCard(data);
  floating.show(false);
  return undefined;
}

class FloatingCard {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.timer = 0;
    this.placed = "";
    this.frame = make("div", "explorer-card-frame");
    this.chapter = make("select");
    this.close = make("button", "close", "✕");
    this.title = make("b");
    this.body = make("p");
    this.pages = make("div", "pages");
    this.place = make("span", "place");
    this.back = make("button", "", "‹");
    this.next = make("button", "", "›");
    this.card = make(
      "section", "explorer-card", make("header", "", this.chapter, this.close), this.title, this.body, this.pages,
      make("footer", "", this.back, this.place, this.next),
    );
    this.toggle = make("button", "explorer-card-switch");
    for (const element of [this.close, this.back, this.next, this.toggle]) element.setAttribute("type", "button");
    this.body.setAttribute("aria-live", "polite");
    this.frame.hidden = this.card.hidden = true;
    document.body.append(this.frame, this.card, this.toggle);
    this.listen();
    /** @type {string | null} the open card by its name, null while closed */
    this.open = this.known(new URLSearchParams(window.location.search).get(PARAMETER) ?? recall());
  }

  listen() {
    this.toggle.onclick = () => this.go(this.open === null ? this.known(recall(true)) ?? this.names()[0] : null);
    this.close.onclick = () => this.go(null);
    this.back.onclick = () => this.step(-1);
    this.next.onclick = () => this.step(1);
    this.chapter.onchange = () => this.go(`${this.chapter.value}.1`);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.open !== null && !event.defaultPrevented) this.go(null);
    });
    // A chapter's own button carries the name of its first card.
    document.addEventListener("click", (event) => {
      const asked = event.target instanceof Element && event.target.closest("[data-card]");
      if (asked) this.go(this.known(asked.getAttribute("data-card")));
    });
    window.addEventListener("resize", () => this.follow());
    document.addEventListener("scroll", () => this.follow(), { capture: true, passive: true });
  }

  names() {
    return this.data.cards.map((card) => card.name);
  }

  /** @param {string | null} name */
  known(name) {
    return name !== null && this.names().includes(name) ? name : null;
  }

  current() {
    return this.data.cards.find((card) => card.name === this.open);
  }

  /** @param {string | null} name */
  go(name) {
    remember(name, this.open);
    this.open = name;
    this.placed = "";
    this.show(true);
  }

  /** @param {number} by */
  step(by) {
    const names = this.names();
    this.go(names[names.indexOf(this.open ?? "") + by] ?? this.open);
  }

  /** The page that is open, by the last part of its address. */
  page() {
    const last = window.location.pathname.replace(/\/$/, "").split("/").pop() ?? "";
    return last in this.data.pages || this.data.elsewhere.includes(last) ? last : "explore";
  }

  /**
   * Put texts in.
   * @param {boolean} moved whether the visitor asked, so that the page may scroll to the part
   */
  show(moved) {
    const { words, chapters, cards } = this.data;
    this.toggle.textContent = words.switch;
    this.toggle.title = words.switch_help;
    this.toggle.setAttribute("aria-pressed", String(this.open !== null));
    this.card.hidden = this.open === null;
    this.card.setAttribute("aria-label", words.label);
    document.body.classList.toggle("explorer-card-open", this.open !== null);
    this.writeAddress();
    window.clearInterval(this.timer);
    const card = this.current();
    if (!card) {
      this.frame.hidden = true;
      return;
    }
    const of = cards.filter((other) => other.chapter === card.chapter);
    this.chapter.replaceChildren(
      ...Object.entries(chapters).map(([value, title]) => new Option(title, value, false, value === card.chapter)),
    );
    this.chapter.setAttribute("aria-label", words.chapter);
    this.close.setAttribute("aria-label", words.close);
    this.back.setAttribute("aria-label", words.back);
    this.next.setAttribute("aria-label", words.next);
    this.back.disabled = card === cards[0];
    this.next.disabled = card === cards[cards.length - 1];
    this.place.textContent = `${of.indexOf(card) + 1} / ${of.length}`;
    this.title.replaceChildren(...tint(card.title));
    this.body.replaceChildren(...tint(card.text));
    this.timer = window.setInterval(() => this.follow(), PACE);
    this.follow();
    if (moved) {
      const target = find(card.targets[this.page()]);
      if (target) {
        target.style.scrollMargin = "76px 0 24px";
        target.scrollIntoView({ block: window.innerWidth <= NARROW ? "start" : "nearest" });
        this.follow();
      }
    }
  }

  /** Keep the frame on its part, the address and the links in step with the page. */
  follow() {
    const card = this.current();
    if (!card) return;
    const here = this.page();
    const target = find(card.targets[here]);
    const state = `${card.name} ${here} ${target !== null} ${document.documentElement.lang}`;
    this.frame.hidden = target === null;
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
    if (this.placed !== state) {
      this.placed = state;
      this.showPages(card, here);
      this.writeAddress();
    } else if (new URLSearchParams(window.location.search).get(PARAMETER) !== card.name) this.writeAddress();
  }

  /**
   * Whether the card, at the right, would lie over most of what it speaks of, and not so at the left.
   * @param {DOMRect} box
   */
  covers(box) {
    const width = this.card.offsetWidth + 24;
    const right = Math.max(0, box.right - (window.innerWidth - width));
    const left = Math.max(0, width - box.left);
    return right > left;
  }

  /**
   * @param {Card} card
   * @param {string} here the page that is open
   */
  showPages(card, here) {
    const links = Object.keys(card.targets).map((name) => {
      const link = make("button", "", this.data.pages[name]);
      link.setAttribute("type", "button");
      if (name === here) link.setAttribute("aria-current", "page");
      link.onclick = () => this.visit(name);
      return link;
    });
    this.pages.replaceChildren(make("span", "", this.data.words.see), ...links);
  }

  /**
   * Go to a page through the app's own menu, so that nothing is loaded anew.
   * @param {string} name
   */
  visit(name) {
    if (name === this.page()) return;
    const path = name === "explore" ? "" : name;
    const link = [...document.querySelectorAll(LINKS)].find(
      (anchor) => anchor instanceof HTMLAnchorElement && new URL(anchor.href).pathname.split("/").pop() === path,
    );
    if (link instanceof HTMLElement) link.click();
    else window.location.assign(new URL(path || ".", window.location.href));
  }

  writeAddress() {
    const url = new URL(window.location.href);
    if (this.open === null) url.searchParams.delete(PARAMETER);
    else url.searchParams.set(PARAMETER, this.open);
    const address = url.toString().replaceAll("%2C", ",").replaceAll("%3B", ";");
    if (url.searchParams.get(PARAMETER) === new URL(window.location.href).searchParams.get(PARAMETER)) return;
    window.history.replaceState(window.history.state, "", address);
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {...(Node | string)} children
 */
function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/**
 * The card that was open last; "-" and its name while it is closed.
 * @param {boolean} [closed] whether its name is asked for all the same
 */
function recall(closed = false) {
  try {
    const kept = window.sessionStorage.getItem(MEMORY) ?? "";
    return closed ? kept.replace("-", "") : kept;
  } catch {
    return "";
  }
}

/**
 * @param {string | null} name
 * @param {string | null} last the card that was open before
 */
function remember(name, last) {
  try {
    window.sessionStorage.setItem(MEMORY, name ?? `-${last ?? ""}`);
  } catch {
    // Without a memory the card still works; it is closed on the next visit.
  }
}

/**
 * "@mean[μ]" becomes a span in that role's colour.
 * @param {string} text
 */
function tint(text) {
  return text.split(/(@\w+\[[^\]]*\])/).map((part) => {
    const found = /^@(\w+)\[([^\]]*)\]$/.exec(part);
    return found ? make("span", `role-${found[1]}`, found[2]) : part;
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
