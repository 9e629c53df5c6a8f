import { onceGone } from "../shared/component.js";
import { print } from "../shared/dom.js";
import { readHeader, readPayload } from "../shared/payload.js";
import { createText } from "../shared/text.js";
import { readTheme } from "../shared/theme.js";
import { Bars, word } from "../shared/bars.js";
import { Lens } from "./lens.js";

/**
 * How Streamlit mounts the lens. Three mounts share this module: one is given a payload (bytes)
 * and becomes the lens; one is given the optimiser's path and passes it on; one is given plain
 * numbers and shows the two bars alone.
 */

/** @type {Map<HTMLElement | ShadowRoot, {lens: Lens, fingerprint: string}>} */
const mounted = new Map();

/** @typedef {import("../shared/component.js").Component} Component */

/** @param {Component} component */
export default function mount(component) {
  const { data, parentElement } = component;
  if (data instanceof Uint8Array) return mountLens(data, parentElement, component);
  const [message] = data;
  if (message.balance) return mountBars(message, parentElement);
  for (const { lens, fingerprint } of mounted.values()) {
    if (fingerprint === message.refined.fingerprint) lens.receive(message.refined);
  }
  return undefined;
}

/**
 * @param {Uint8Array} data
 * @param {HTMLElement | ShadowRoot} parentElement
 * @param {Component} component
 */
function mountLens(data, parentElement, component) {
  const { fingerprint } = readHeader(data).header;
  const host = { refine: () => component.setTriggerValue("refine", fingerprint) };
  const present = mounted.get(parentElement);
  if (present && present.fingerprint === fingerprint) {
    present.lens.host = host;
    present.lens.refreshTheme();
  } else {
    present?.lens.dispose();
    const root = present?.lens.root ?? document.createElement("div");
    root.className = "lx lens";
    if (!present) parentElement.append(root);
    const lens = new Lens(root, readPayload(data), host);
    // For tests and the curious: the page's own state.
    Object.assign(root, { lens });
    mounted.set(parentElement, { lens, fingerprint });
  }
  return onceGone(parentElement, () => {
    mounted.get(parentElement)?.lens.dispose();
    mounted.get(parentElement)?.lens.root.remove();
    mounted.delete(parentElement);
  });
}

/** @type {Map<HTMLElement | ShadowRoot, {bars: Bars, root: HTMLElement, spoken: string}>} */
const shown = new Map();

/**
 * The bars stay from run to run, and with them their axis; in another language they are new.
 * @typedef {{reconstruction: number, kl: number, log_px: number}} BalanceMessage nats
 *
 * @param {{balance: BalanceMessage, text: Record<string, string>}} message
 * @param {HTMLElement | ShadowRoot} parentElement
 */
function mountBars({ balance, text: words }, parentElement) {
  const spoken = JSON.stringify(words);
  if (shown.get(parentElement)?.spoken !== spoken) {
    removeBars(parentElement);
    const root = document.createElement("div");
    root.className = "lx";
    const bars = new Bars(createText(words));
    root.append(bars.element);
    parentElement.append(root);
    // For tests and the curious.
    Object.assign(root, { bars });
    shown.set(parentElement, { bars, root, spoken });
  }
  const present = shown.get(parentElement);
  if (present) {
    readTheme(present.root);
    tellBalance(present.bars, balance);
  }
  return onceGone(parentElement, () => removeBars(parentElement));
}

/**
 * @param {Bars} bars
 * @param {BalanceMessage} balance
 */
function tellBalance(bars, { reconstruction, kl, log_px: logPx }) {
  const { text } = bars;
  const total = reconstruction + kl;
  const gap = total + logPx;
  // Whether a hand moves is not known here: the axis waits until no more numbers come.
  bars.show({ reconstruction, kl, logPx, pieces: [{ name: "whole", nats: gap }] }, true);
  bars.say(
    [
      word("term-rec", text("sum_reconstruction", { nats: print(reconstruction) })), " + ",
      word("term-kl", text("sum_kl", { nats: print(kl) })), " = ",
      word("", text("sum_elbo", { nats: print(total) })),
    ],
    [
      word("", text("sum_marginal", { nats: print(-logPx) })), " + ",
      word("term-gap", text("sum_gap", { nats: print(gap) })),
    ],
  );
}

/** @param {HTMLElement | ShadowRoot} parentElement */
function removeBars(parentElement) {
  shown.get(parentElement)?.bars.dispose();
  shown.get(parentElement)?.root.remove();
  shown.delete(parentElement);
}
