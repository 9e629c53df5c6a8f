/**
 * What Streamlit hands to a component's module when it mounts it, as far as ours ask for it
 * (FrontendRendererArgs of components v2).
 *
 * @template [Data=any] bytes or plain values, as Python sent them
 * @typedef {object} Component
 * @property {Data} data
 * @property {HTMLElement | ShadowRoot} parentElement
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

/**
 * Return what a component gives Streamlit to run when it goes. Streamlit runs that too after a call
 * which newer data overtook while the script was loading: then the place stands, and is the newer
 * call's.
 * @param {Node} place
 * @param {() => void} remove
 */
export const onceGone = (place, remove) => () => {
  if (!place.isConnected) remove();
};
