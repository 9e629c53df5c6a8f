/**
 * Who the map belongs to before Streamlit has mounted it: nobody who could answer.
 * @typedef {import("./scene/app.js").Host} Host
 * @typedef {Host & {handOver: (host: Host) => void}} WaitingHost
 */

/**
 * Return a host that keeps what it is told, the latest of each name, for the one that follows it.
 * @param {() => Worker} startWorker
 * @returns {WaitingHost}
 */
export function createWaitingHost(startWorker) {
  /** @type {Map<string, (host: Host) => void>} */
  const told = new Map();
  return {
    kind: "streamlit",
    startWorker,
    setState: (name, value) => void told.set(name, (host) => host.setState(name, value)),
    trigger: (name, value) => void told.set(name, (host) => host.trigger(name, value)),
    handOver: (host) => told.forEach((tell) => tell(host)),
  };
}
