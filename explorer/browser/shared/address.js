/** What stands in the address of the app's open page. */

const FIRST_PAGE = "explore";

/**
 * The page that is open, by the last part of its address.
 * @param {string[]} pages all that there are
 */
export function openPage(pages) {
  const last = window.location.pathname.replace(/\/$/, "").split("/").pop() ?? "";
  return pages.includes(last) ? last : FIRST_PAGE;
}

/**
 * Whether a page's link leads to `page`: the first page's has no name.
 * @param {HTMLAnchorElement} link
 * @param {string} page
 */
export function leadsTo(link, page) {
  return link.pathname.split("/").pop() === (page === FIRST_PAGE ? "" : page);
}

/**
 * Write a parameter into the address, or take it out of it, without a step for Back.
 * @param {string} name
 * @param {string | null} value
 */
export function writeParameter(name, value) {
  const url = new URL(window.location.href);
  if (url.searchParams.get(name) === value) return;
  if (value === null) url.searchParams.delete(name);
  else url.searchParams.set(name, value);
  const address = url.toString().replaceAll("%2C", ",").replaceAll("%3B", ";");
  window.history.replaceState(window.history.state, "", address);
}
