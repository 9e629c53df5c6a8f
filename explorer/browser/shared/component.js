/**
 * What Streamlit hands to a component's module when it mounts it, as far as ours ask for it
 * (FrontendRendererArgs of components v2). Nothing here runs.
 *
 * @template [Data=any] bytes or plain values, as Python sent them
 * @typedef {object} Component
 * @property {Data} data
 * @property {HTMLElement | ShadowRoot} parentElement
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

export {};
