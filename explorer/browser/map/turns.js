/**
 * What the map's fragments are told, one batch of Streamlit's for each. Streamlit sends what changes
 * within a moment together, and runs the fragment of the first alone: whatever another was told, a
 * model that was chosen among it, would be lost.
 */

/** @type {string | null} the fragment whose batch is open */
let holder = null;
/** @type {[string, () => void][]} */
let waiting = [];

/**
 * Tell Streamlit something for a fragment, at once or after the batch that is open.
 * @param {string} fragment
 * @param {() => void} tell
 */
export function takeTurn(fragment, tell) {
  if (holder !== null && holder !== fragment) {
    waiting.push([fragment, tell]);
    return;
  }
  tell();
  if (holder !== null) return;
  holder = fragment;
  // Streamlit's own timer, which closes the batch, was set by `tell`: this one runs after it.
  setTimeout(() => {
    holder = null;
    const next = waiting;
    waiting = [];
    for (const turn of next) takeTurn(...turn);
  });
}
