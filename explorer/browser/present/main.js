import { leadsTo, openPage, writeParameter } from "../shared/address.js";
import { findBar } from "../shared/bar.js";
import { button, make } from "../shared/dom.js";
import { keepSteps } from "../shared/steps.js";

/**
 * Presenting: every page half as large again for a projector, and a clicker's two keys lead through its
 * rows, the sections of its switch and the pages. All of it lives in the browser.
 */

const PARAMETER = "present";
const CLASS = "explorer-presenting";
/** Other rooms follow this event, whose detail is whether it is on. */
const EVENT = "latent-explorer-present";
const PACE = 400;
/** Where the app's bar ends, and what may be cut off of a row before it counts as not seen. */
const [EDGE, SLACK] = [60, 12];
/** The share of the screen that a step goes on by at least: less is no step. */
const LEAST = 0.2;
const LINK = 'a[data-testid="stTopNavLink"], a[data-testid="stSidebarNavLink"]';
/** What the arrow keys move by themselves. */
const ARROWED = 'input, textarea, select, canvas, [role="slider"], [role="radio"], [role="tab"], [role="listbox"], [contenteditable="true"]';
/** What Escape closes first. */
const OPENED = '[data-baseweb="popover"], [role="dialog"], .explorer-guide:not([hidden])';

/**
 * @typedef {object} Data as `present.py` describes it
 * @property {string[]} pages by the last part of their address, in the order of the bar
 * @property {Record<string, string>} switches of a page, what its sections are chosen by
 * @property {Record<"switch" | "help" | "on" | "back" | "keys", string>} words
 */

/** @type {Presenter | null} made once, and told of every page */
let presenter = null;

/** @param {import("../shared/component.js").Component<[Data]>} component */
export default function mount({ data: [data] }) {
  // Hosts that start Streamlit by themselves have no opening that would have done it before.
  keepSteps();
  if (presenter) presenter.data = data;
  else presenter = new Presenter(data);
  presenter.show();
  return undefined;
}

class Presenter {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.timer = 0;
    this.toggle = button("", () => this.turn(!this.active), { class: "explorer-present-switch" });
    this.back = button("‹", () => this.step(-1));
    this.on = button("›", () => this.step(1));
    this.place = make("span", { class: "place" });
    this.keys = make("span", { class: "keys" });
    this.strip = make("div", { class: "explorer-present-strip" }, this.keys, this.back, this.place, this.on);
    findBar().append(this.strip, this.toggle);
    this.active = new URLSearchParams(window.location.search).get(PARAMETER) === "1";
    this.announced = false;
    this.listen();
  }

  listen() {
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement && this.active) this.turn(false);
    });
    // A clicker's keys go before the control that happens to have the focus.
    document.addEventListener("keydown", (event) => this.clicked(event), { capture: true });
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** @param {KeyboardEvent} event */
  clicked(event) {
    if (!this.active || (event.key !== "PageDown" && event.key !== "PageUp")) return;
    event.preventDefault();
    event.stopPropagation();
    this.step(event.key === "PageDown" ? 1 : -1);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (!this.active || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !document.querySelector(OPENED)) this.turn(false);
    const at = event.composedPath()[0];
    if (at instanceof Element && at.closest(ARROWED)) return;
    if (event.key === "ArrowRight") this.step(1);
    if (event.key === "ArrowLeft") this.step(-1);
  }

  /** @param {boolean} active */
  turn(active) {
    if (this.active === active) return;
    this.active = active;
    if (active) document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
    this.show();
  }

  /** Put texts in, and bring the page and its address to how things stand. */
  show() {
    const { words } = this.data;
    this.toggle.textContent = words.switch;
    this.toggle.title = words.help;
    this.toggle.setAttribute("aria-pressed", String(this.active));
    this.back.setAttribute("aria-label", words.back);
    this.on.setAttribute("aria-label", words.on);
    this.keys.textContent = words.keys;
    this.strip.hidden = !this.active;
    document.body.classList.toggle(CLASS, this.active);
    window.clearInterval(this.timer);
    if (this.active) this.timer = window.setInterval(() => this.follow(), PACE);
    this.follow();
    if (this.announced !== this.active) {
      this.announced = this.active;
      document.dispatchEvent(new CustomEvent(EVENT, { detail: this.active }));
      // What is drawn to the width it has, Plotly's charts among it, measures itself anew.
      window.setTimeout(() => window.dispatchEvent(new Event("resize")), 50);
    }
  }

  /** Keep the place and the address in step with the page that is open. */
  follow() {
    this.place.textContent = `${this.data.pages.indexOf(this.page()) + 1} / ${this.data.pages.length}`;
    writeParameter(PARAMETER, this.active ? "1" : null);
  }

  /** The page that is open, by the last part of its address. */
  page() {
    return openPage(this.data.pages);
  }

  /**
   * Go one step through what there is: the page's rows, the sections of its switch, the pages.
   * @param {1 | -1} direction
   */
  step(direction) {
    const scroller = document.querySelector(".stMain");
    if (scroller && scrollOn(scroller, direction)) return;
    if (this.turnSection(direction)) scroller?.scrollTo({ top: 0 });
    else this.turnPage(direction);
  }

  /** @param {1 | -1} direction */
  turnSection(direction) {
    const selector = this.data.switches[this.page()];
    const options = selector ? [...document.querySelectorAll(`${selector} [role="radio"]`)] : [];
    const chosen = options.findIndex((option) => option.getAttribute("aria-checked") === "true");
    const next = options[chosen + direction];
    if (chosen < 0 || !(next instanceof HTMLElement)) return false;
    next.click();
    return true;
  }

  /** @param {1 | -1} direction */
  turnPage(direction) {
    const next = this.data.pages[this.data.pages.indexOf(this.page()) + direction];
    if (next === undefined) return;
    const links = [...document.querySelectorAll(LINK)].filter((link) => link instanceof HTMLAnchorElement);
    links.find((link) => leadsTo(link, next))?.click();
  }
}

/**
 * Scroll to the next row that is not wholly in view; false where the page ends.
 * @param {Element} scroller
 * @param {1 | -1} direction
 */
function scrollOn(scroller, direction) {
  const room = scroller.scrollHeight - scroller.clientHeight;
  const here = scroller.scrollTop;
  if (direction > 0 ? here >= room - SLACK : here <= SLACK) return false;
  const height = window.innerHeight;
  const main = document.querySelector('.stMainBlockContainer > [data-testid="stVerticalBlock"]');
  const boxes = main ? rows(main, height - EDGE).map((row) => row.getBoundingClientRect()) : [];
  const far = here + direction * 0.85 * (height - EDGE);
  const tops = boxes.map((box) => here + box.top - EDGE);
  const cut = tops.find((_, i) => boxes[i].bottom > height + SLACK);
  const isStep = cut !== undefined && cut > here + LEAST * height && cut <= far + height / 2;
  const target = direction > 0
    ? isStep ? cut : far
    : tops.find((top) => top >= far - SLACK && top < here - LEAST * height);
  scroller.scrollTo({ top: target ?? far, behavior: "smooth" });
  return true;
}

/**
 * What a page is made of from top to bottom: a block that is taller than the screen is taken apart.
 * @param {Element} block
 * @param {number} height
 * @returns {Element[]}
 */
function rows(block, height) {
  return [...block.children].flatMap((child) => {
    const inner = child.querySelector(':scope > [data-testid="stVerticalBlock"]');
    const box = child.getBoundingClientRect();
    if (box.height < 1) return [];
    return inner && box.height > height ? rows(inner, height) : [child];
  });
}
