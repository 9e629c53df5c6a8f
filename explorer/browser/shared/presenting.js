/** Whether the page around is presented, half as large again (the room `present` says so). */

const EVENT = "latent-explorer-present";
const CLASS = "explorer-presenting";

/**
 * Tell whether the page is presented, now and whenever that changes; returns what ends it.
 * @param {(on: boolean) => void} tell
 */
export function followPresenting(tell) {
  const follow = () => tell(document.body.classList.contains(CLASS));
  follow();
  document.addEventListener(EVENT, follow);
  return () => document.removeEventListener(EVENT, follow);
}
