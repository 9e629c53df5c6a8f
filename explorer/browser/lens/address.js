import { bounded, plainAngle } from "./gaussian.js";

/**
 * The visitor's q in the address of the page: mean, standard deviations and the turn in degrees.
 * What a link has of it is checked by views/elbo/microscope.py before the lens is mounted.
 * @typedef {import("./gaussian.js").Normal} Normal
 */

const NAME = "q";
const DIGITS = 5;

/** @returns {Normal | null} */
export function readNormal() {
  const asked = new URLSearchParams(window.location.search).get(NAME);
  if (!asked) return null;
  const [x, y, a, b, degrees] = asked.split(",").map(Number);
  return bounded({ x, y, a, b, angle: (degrees * Math.PI) / 180 });
}

/** @param {Normal | null} q null for the encoder's, on which the lens opens */
export function writeNormal(q) {
  const url = new URL(window.location.href);
  if (q) {
    const values = [q.x, q.y, q.a, q.b, (plainAngle(q.angle) * 180) / Math.PI];
    url.searchParams.set(NAME, values.map((value) => Number(value.toPrecision(DIGITS))).join(","));
  } else url.searchParams.delete(NAME);
  const address = url.toString().replaceAll("%2C", ",");
  if (address !== window.location.href) window.history.replaceState(window.history.state, "", address);
}
