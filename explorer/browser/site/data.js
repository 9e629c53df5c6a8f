/**
 * What the pages of a site share: bytes and words in script files, since a page that was opened from
 * the disk may load scripts and nothing else.
 * @typedef {{latentData?: Record<string, string>, latentText?: Record<string, string>, latentWorker?: string}} Shelf
 */

import { fromBase64 } from "../shared/base64.js";

const shelf = /** @type {Shelf} */ (/** @type {unknown} */ (globalThis));

/** The sentences of the page's language. */
export const words = () => shelf.latentText ?? {};

/** The source of the worker. */
export const workerSource = () => shelf.latentWorker ?? "";

/**
 * Load the bytes of a data file, named as the file is; they are handed out once.
 * @param {string} address relative to the page
 */
export async function loadBytes(address) {
  await loadScript(address);
  const name = address.slice(address.lastIndexOf("/") + 1);
  const stored = shelf.latentData?.[name];
  if (stored === undefined) throw new Error(`${address} holds no data.`);
  delete shelf.latentData?.[name];
  return fromBase64(stored);
}

/** @param {string} address */
function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${address} cannot be loaded.`));
    document.head.append(script);
  });
}
