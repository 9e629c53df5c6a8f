import { findBar } from "../shared/bar.js";

/**
 * Looking together: the lecturer shows all a page by one press; whoever follows has it opened.
 */

/** Whether this tab follows, and the last showing that it has opened. */
const [FOLLOWS, SEEN] = ["explorer-follows", "explorer-seen"];

/**
 * @typedef {object} Data as `together.py` describes it
 * @property {boolean} leads
 * @property {number} number of the showing, 0 before the first
 * @property {string} address path and query of a page here
 * @property {Record<"show" | "show_help" | "follow" | "follow_help", string>} words
 */

/** @type {HTMLButtonElement | null} made once, for all pages */
let button = null;

/** @param {import("../shared/component.js").Component<Data>} component */
export default function mount({ data, setTriggerValue }) {
  button ??= makeButton();
  const { words } = data;
  button.textContent = data.leads ? words.show : words.follow;
  button.title = data.leads ? words.show_help : words.follow_help;
  if (data.leads) {
    button.onclick = () => setTriggerValue("shown", window.location.pathname + window.location.search);
    return undefined;
  }
  button.onclick = () => {
    window.sessionStorage.setItem(FOLLOWS, String(!follows()));
    follow(data);
  };
  follow(data);
  return undefined;
}

/** Whether this tab follows; it does until somebody says no. */
function follows() {
  return window.sessionStorage.getItem(FOLLOWS) !== "false";
}

/** @param {Data} data */
function follow(data) {
  button?.setAttribute("aria-pressed", String(follows()));
  // A tab that has just been opened was led here by its visitor: it follows from the next showing on.
  const seen = Number(window.sessionStorage.getItem(SEEN) ?? data.number);
  if (!follows() || data.number <= seen) {
    window.sessionStorage.setItem(SEEN, String(seen));
    return;
  }
  window.sessionStorage.setItem(SEEN, String(data.number));
  const wanted = new URL(data.address, window.location.origin);
  const lang = new URLSearchParams(window.location.search).get("lang");
  // Everybody keeps their own language.
  wanted.searchParams.delete("lang");
  if (lang) wanted.searchParams.set("lang", lang);
  if (wanted.origin === window.location.origin) window.location.assign(wanted);
}

function makeButton() {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "explorer-present-switch explorer-together";
  findBar().prepend(made);
  return made;
}
