/**
 * Who the map belongs to before Streamlit has mounted it: nobody who could answer.
 * @typedef {import("./scene/app.js").Host} Host
 * @typedef {Host & {handOver: (host: Host) => void}} WaitingHost
 */

/**
 * Return a host that keeps what it is told, the latest of each name, for the one that follows it; from
 * then on that one is told.
 * @param {() => Worker} startWorker
 * @returns {WaitingHost}
 */
export function createWaitingHost(startWorker) {
  /** @type {Map<string, (host: Host) => void>} */
  const told = new Map();
  /** @type {Host | null} */
  let next = null;
  /** @param {string} name @param {(host: Host) => void} tell */
  const pass = (name, tell) => void (next ? tell(next) : told.set(name, tell));
  return {
    kind: "streamlit",
    startWorker,
    setState: (name, value) => pass(name, (host) => host.setState(name, value)),
    trigger: (name, value) => pass(name, (host) => host.trigger(name, value)),
    handOver: (host) => {
      next = host;
      told.forEach((tell) => tell(host));
    },
  };
}
