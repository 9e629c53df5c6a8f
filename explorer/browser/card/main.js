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

/** @type {any} texts and targets, as `card.py` describes them */
let data = null;
/** @type {any} the card's elements, made once */
let view = null;
/** @type {string | null} the open card as "<chapter>.<number>", null while closed */
let open = null;
let timer = 0;
let placed = "";

/** @param {any} component Streamlit's FrontendRendererArgs */
export default function mount(component) {
  data = component.data;
  if (!view) {
    view = build();
    open = known(new URLSearchParams(window.location.search).get(PARAMETER) ?? recall());
  }
  show(false);
  return undefined;
}

const make = (tag, className, ...children) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
};

function build() {
  const frame = make("div", "explorer-card-frame");
  const chapter = make("select");
  const close = make("button", "close", "✕");
  const [title, body, pages, place] = [make("b"), make("p"), make("div", "pages"), make("span", "place")];
  const [back, next] = [make("button", "", "‹"), make("button", "", "›")];
  const card = make(
    "section", "explorer-card", make("header", "", chapter, close), title, body, pages,
    make("footer", "", back, place, next),
  );
  const toggle = make("button", "explorer-card-switch");
  for (const element of [close, back, next, toggle]) element.setAttribute("type", "button");
  body.setAttribute("aria-live", "polite");
  frame.hidden = card.hidden = true;
  document.body.append(frame, card, toggle);
  toggle.onclick = () => go(open === null ? known(recall(true)) ?? names()[0] : null);
  close.onclick = () => go(null);
  back.onclick = () => step(-1);
  next.onclick = () => step(1);
  chapter.onchange = () => go(`${chapter.value}.1`);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && open !== null && !event.defaultPrevented) go(null);
  });
  // A chapter's own button carries the name of its first card.
  document.addEventListener("click", (event) => {
    const asked = event.target instanceof Element && event.target.closest("[data-card]");
    if (asked) go(known(asked.getAttribute("data-card")));
  });
  window.addEventListener("resize", () => follow());
  document.addEventListener("scroll", () => follow(), { capture: true, passive: true });
  return { frame, card, chapter, close, title, body, pages, place, back, next, toggle };
}

const names = () => data.cards.map((card) => card.name);
const known = (name) => (names().includes(name) ? name : null);
const current = () => data.cards[names().indexOf(open)];

function recall(closed = false) {
  try {
    const kept = window.sessionStorage.getItem(MEMORY) ?? "";
    return closed ? kept.replace("-", "") : kept;
  } catch {
    return "";
  }
}

function remember(name, last) {
  try {
    window.sessionStorage.setItem(MEMORY, name ?? `-${last ?? ""}`);
  } catch {
    // Without a memory the card still works; it is closed on the next visit.
  }
}

function go(name) {
  remember(name, open);
  open = name;
  placed = "";
  show(true);
}

const step = (by) => go(names()[names().indexOf(open) + by] ?? open);

function page() {
  const last = window.location.pathname.replace(/\/$/, "").split("/").pop();
  return last in data.pages || data.elsewhere.includes(last) ? last : "explore";
}

/** Put texts in; `moved` tells that the visitor asked, so that the page may scroll to the part. */
function show(moved) {
  const { words, chapters } = data;
  view.toggle.textContent = words.switch;
  view.toggle.title = words.switch_help;
  view.toggle.setAttribute("aria-pressed", String(open !== null));
  view.card.hidden = open === null;
  view.card.setAttribute("aria-label", words.label);
  document.body.classList.toggle("explorer-card-open", open !== null);
  writeAddress();
  window.clearInterval(timer);
  if (open === null) {
    view.frame.hidden = true;
    return;
  }
  const card = current();
  const of = data.cards.filter((other) => other.chapter === card.chapter);
  view.chapter.replaceChildren(
    ...Object.entries(chapters).map(([value, title]) => new Option(title, value, false, value === card.chapter)),
  );
  view.chapter.setAttribute("aria-label", words.chapter);
  view.close.setAttribute("aria-label", words.close);
  view.back.setAttribute("aria-label", words.back);
  view.next.setAttribute("aria-label", words.next);
  view.back.disabled = card === data.cards[0];
  view.next.disabled = card === data.cards[data.cards.length - 1];
  view.place.textContent = `${of.indexOf(card) + 1} / ${of.length}`;
  view.title.replaceChildren(...tint(card.title));
  view.body.replaceChildren(...tint(card.text));
  timer = window.setInterval(follow, PACE);
  follow();
  if (moved) {
    const target = find(card.targets[page()]);
    if (target) {
      target.style.scrollMargin = "76px 0 24px";
      target.scrollIntoView({ block: window.innerWidth <= NARROW ? "start" : "nearest" });
      follow();
    }
  }
}

/** "@mean[μ]" becomes a span in that role's colour. */
function tint(text) {
  return text.split(/(@\w+\[[^\]]*\])/).map((part) => {
    const found = /^@(\w+)\[([^\]]*)\]$/.exec(part);
    return found ? make("span", `role-${found[1]}`, found[2]) : part;
  });
}

/** The first visible element of a list of selectors, the preferred first, components included. */
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

/** Keep the frame on its part, the address and the links in step with the page. */
function follow() {
  if (open === null) return;
  const card = current();
  const here = page();
  const target = find(card.targets[here]);
  const state = `${open} ${here} ${target !== null} ${document.documentElement.lang}`;
  view.frame.hidden = target === null;
  if (target) {
    const box = target.getBoundingClientRect();
    const [left, top] = [Math.max(box.left - 4, 2), Math.max(box.top - 4, 58)];
    Object.assign(view.frame.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${Math.min(box.right + 4, window.innerWidth - 2) - left}px`,
      height: `${Math.max(box.bottom + 4 - top, 0)}px`,
    });
    view.frame.hidden = box.bottom < 64 || box.top > window.innerHeight;
    if (placed !== state) view.card.classList.toggle("left", covers(box));
  }
  if (placed !== state) {
    placed = state;
    showPages(card, here);
    writeAddress();
  } else if (new URLSearchParams(window.location.search).get(PARAMETER) !== open) writeAddress();
}

/** Whether the card, at the right, would lie over most of what it speaks of, and not so at the left. */
function covers(box) {
  const width = view.card.offsetWidth + 24;
  const right = Math.max(0, box.right - (window.innerWidth - width));
  const left = Math.max(0, width - box.left);
  return right > left;
}

function showPages(card, here) {
  const links = Object.keys(card.targets).map((name) => {
    const link = make("button", "", data.pages[name]);
    link.setAttribute("type", "button");
    if (name === here) link.setAttribute("aria-current", "page");
    link.onclick = () => visit(name);
    return link;
  });
  view.pages.replaceChildren(make("span", "", data.words.see), ...links);
}

/** Go to a page through the app's own menu, so that nothing is loaded anew. */
function visit(name) {
  if (name === page()) return;
  const path = name === "explore" ? "" : name;
  const link = [...document.querySelectorAll('[data-testid^="stTopNavLink"], [data-testid="stSidebarNavLink"]')].find(
    (anchor) => anchor instanceof HTMLAnchorElement && new URL(anchor.href).pathname.split("/").pop() === path,
  );
  if (link instanceof HTMLElement) link.click();
  else window.location.assign(new URL(path || ".", window.location.href));
}

function writeAddress() {
  const url = new URL(window.location.href);
  if (open === null) url.searchParams.delete(PARAMETER);
  else url.searchParams.set(PARAMETER, open);
  const address = url.toString().replaceAll("%2C", ",").replaceAll("%3B", ";");
  if (url.searchParams.get(PARAMETER) === new URL(window.location.href).searchParams.get(PARAMETER)) return;
  window.history.replaceState(window.history.state, "", address);
}
