import { make } from "../shared/dom.js";
import { readPayload } from "../shared/payload.js";
import { createText } from "../shared/text.js";
import { loadBytes, words } from "./data.js";

/**
 * What stands around every page of a site: embedded without its frame (`?embed=1`), reduced to some
 * parts (`only=map,sliders`), and a button that copies the lines which embed it elsewhere.
 */

/** Parts that `only` knows by their own name, and the classes of the map that stand for them. */
const PARTS = ["toolbar", "input", "draw", "legend", "sliders", "panel", "output", "map"];

/**
 * Open the page whose place is called `id`: shape it by its address, load its data, put the words of
 * its language in, and let `show` draw it; where that fails the page says why.
 * @param {string} id
 * @param {(root: HTMLElement, header: any) => Promise<void> | void} show
 */
export async function open(id, show) {
  const root = document.getElementById(id);
  if (!root) throw new Error(`This document has no place called ${id}.`);
  frame();
  try {
    const header = readPayload(await loadBytes(root.dataset.source ?? ""));
    Object.assign(header, { text: words(), language: document.documentElement.lang });
    root.replaceChildren();
    await show(root, header);
    root.dataset.ready = "true";
  } catch (error) {
    tellFailure(root, error);
  }
}

/**
 * Read the address and shape the page by it.
 * @param {string[]} parts those that `only` may name
 */
export function frame(parts = PARTS) {
  const params = new URLSearchParams(window.location.search);
  document.documentElement.classList.toggle("is-embedded", params.get("embed") === "1");
  const only = (params.get("only") ?? "").split(",").filter((name) => parts.includes(name));
  if (only.length) for (const name of parts) if (!only.includes(name)) hide(name);
  const button = document.querySelector("[data-action='copy-iframe']");
  button?.addEventListener("click", () => copyFrame(/** @type {HTMLElement} */ (button)));
}

/** @param {string} name */
function hide(name) {
  document.querySelector("main > .lx, main > #learn")?.classList.add(`hide-${name}`);
}

/** The lines that embed this page as it stands, scene included. */
function frameLines() {
  const address = new URL(window.location.href);
  address.searchParams.set("embed", "1");
  const source = address.href.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<iframe src="${source}" width="100%" height="720" style="border:0" loading="lazy"></iframe>`;
}

/** @param {HTMLElement} button */
async function copyFrame(button) {
  const text = createText(words());
  const lines = frameLines();
  try {
    await navigator.clipboard.writeText(lines);
    button.textContent = text("copied");
  } catch {
    // Pages from the disk may not write to the clipboard: the lines are shown, ready to be copied.
    const box = make("textarea", { readonly: true, rows: 3, "data-role": "iframe", "aria-label": text("iframe") });
    /** @type {HTMLTextAreaElement} */ (box).value = lines;
    button.after(box);
    /** @type {HTMLTextAreaElement} */ (box).select();
  }
}

/**
 * Say that a page could not be opened, and why.
 * @param {HTMLElement} root
 * @param {unknown} error
 */
function tellFailure(root, error) {
  root.replaceChildren(make("p", { role: "alert" }, error instanceof Error ? error.message : String(error)));
}
