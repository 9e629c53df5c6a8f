import { AtlasModel } from "./atlas.js";
import { BackgroundModel } from "./background.js";
import { packRows, buildProduct } from "./layers/product.js";
import { placesOf } from "./layers/contract.js";
import { Model } from "./model.js";
import { RemoteModel } from "./remote.js";

/**
 * Where a model's networks run: here, in a worker, or on the server; or what stands for them.
 * @typedef {Model | BackgroundModel | RemoteModel | AtlasModel} AnyModel
 * @typedef {import("./header.js").ModelHeader} ModelHeader
 *
 * @typedef {object} Helpers who may decode instead of the page
 * @property {(() => Worker) | null} startWorker
 * @property {((request: import("./remote.js").Request & {number: number}) => void) | null} ask the server
 */

/** Decodes up to this long do not disturb the pointer. */
const HERE_MS = 6;
/** Slower than this, and the server is faster: a dozen pictures a second come from there. */
const WORKER_MS = 80;
/** So few multiply-adds run here on any machine; to measure it would take ten decodes' time, before the first paint. */
const SMALL = 1e6;

/**
 * @param {ModelHeader} header
 * @param {Helpers} helpers
 * @param {number} [rate] multiply-adds a millisecond, measured where that decides
 * @returns {AnyModel}
 */
export function chooseModel(header, { startWorker, ask }, rate) {
  const { networks, atlas } = header;
  if (atlas) return new AtlasModel({ ...header, atlas });
  if (!networks) return new RemoteModel(header, ask ?? (() => {}));
  const cost = networks.multiplyAdds ?? 0;
  const expected = rate === undefined && cost <= SMALL ? 0 : cost / (rate ?? measureRate());
  if (expected > WORKER_MS && ask) return new RemoteModel(header, ask);
  if (expected > HERE_MS && startWorker) {
    try {
      return new BackgroundModel({ ...header, networks }, startWorker());
    } catch {
      // A browser that starts no worker from here: the page decodes, more slowly under the hand.
    }
  }
  return new Model({ ...header, networks });
}

let known = 0;

/** Multiply-adds a millisecond on this machine: the best of a few small products, measured once. */
function measureRate() {
  if (known) return known;
  const [rows, depth, columns] = [64, 128, 128];
  const from = { rows: placesOf([depth], [columns]), columns: placesOf([columns], [1]) };
  const to = { rows: placesOf([rows], [columns]), columns: from.columns };
  const product = buildProduct(packRows(new Float32Array(rows * depth).fill(0.5), rows, depth), from, to);
  const [source, target] = [new Float32Array(depth * columns).fill(0.5), new Float32Array(rows * columns)];
  for (let turn = 0; turn < 8; turn++) {
    const begin = performance.now();
    product(source, target);
    // A browser's clock may stand still for a while.
    known = Math.max(known, (rows * depth * columns) / Math.max(performance.now() - begin, 0.2));
  }
  return known;
}
