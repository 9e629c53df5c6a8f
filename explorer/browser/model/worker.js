import { createService } from "./service.js";

/**
 * A worker's own script: the service, listening to the page.
 * @typedef {object} Scope
 * @property {((event: MessageEvent) => void) | null} onmessage
 * @property {(message: unknown, transfer: Transferable[]) => void} postMessage
 */

const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
// A message to itself waits its turn behind those of the page; a timer would wait 4 ms.
const { port1, port2 } = new MessageChannel();
/** @type {() => void} */
let next = () => {};
port1.onmessage = () => next();
const receive = createService(
  (answer) => scope.postMessage(answer, answer.picture ? [answer.picture.buffer] : []),
  (work) => {
    next = work;
    port2.postMessage(null);
  },
);
scope.onmessage = (/** @type {MessageEvent} */ event) => receive(event.data);
