/** A table is put in order by a press on the name of a column: upwards, downwards, and as it came. */

const NAME = ".explorer-rows thead button";
const NEXT = new Map([["ascending", "descending"], ["descending", ""]]);

/** @type {WeakMap<Element, Element[]>} the rows of a table's body as they came */
const came = new WeakMap();

export default function mount() {
  // Every table brings this script along, and each time as a module of its own.
  const page = document.documentElement;
  if (page.hasAttribute("data-tables")) return undefined;
  page.setAttribute("data-tables", "");
  document.addEventListener("click", (event) => {
    const name = event.target instanceof Element && event.target.closest(NAME);
    const column = name && name.closest("th");
    if (column) order(column);
  });
  return undefined;
}

/** @param {HTMLTableCellElement} column */
function order(column) {
  const body = column.closest("table")?.tBodies[0];
  if (!body) return;
  const rows = came.get(body) ?? [...body.rows];
  came.set(body, rows);
  const turned = NEXT.get(column.getAttribute("aria-sort") ?? "") ?? "ascending";
  for (const other of column.parentElement?.children ?? []) other.removeAttribute("aria-sort");
  if (turned) column.setAttribute("aria-sort", turned);
  const sign = turned === "descending" ? -1 : 1;
  const at = column.cellIndex;
  /** @type {(one: Element, other: Element) => number} */
  const compared = (one, other) => compare(one.children[at], other.children[at], sign);
  body.append(...(turned ? [...rows].sort(compared) : rows));
}

/** Absent cells stand last whichever way; words are compared as the page's language does.
 * @param {Element} one
 * @param {Element} other
 * @param {number} sign
 */
function compare(one, other, sign) {
  const [left, right] = [one.textContent ?? "", other.textContent ?? ""];
  if (!left || !right) return Number(!left) - Number(!right);
  const [low, high] = [one.getAttribute("data-value"), other.getAttribute("data-value")];
  const isCounted = low !== null && high !== null;
  const language = document.documentElement.lang || undefined;
  return sign * (isCounted ? Number(low) - Number(high) : left.localeCompare(right, language, { numeric: true }));
}
