/**
 * A model too large for the browser: the same face as Model, but Python encodes and decodes.
 * While the hand moves, a request goes out at most every 60 ms and only the latest counts.
 */

import { fromBase64, toBase64 } from "../shared/base64.js";
import { Prior } from "./prior.js";

const PAUSE_MS = 60;

export class RemoteModel {
  /** @param {any} header @param {any} app */
  constructor(header, app) {
    this.app = app;
    this.shape = header.shape;
    this.pixelCount = header.shape.reduce((product, size) => product * size, 1);
    this.latentSize = header.latent.size;
    this.hasPosterior = header.latent.kind === "gaussian";
    this.prior = new Prior(header.prior);
    this.binarise = header.likelihood.binarise;
    this.likelihoodKind = header.likelihood.kind;
    this.sigma2 = header.likelihood.sigma2;
    this.likelihood = { deviationVaries: !header.likelihood.kind.match(/^gaussian(-learned)?$/) };
    this.isLocal = false;
    this.number = 0;
    this.timer = 0;
    this.last = 0;
    this.waiting = new Map();
  }

  /** Ask for q(z|x); `done` hears of it when it comes. */
  encodeSoon(x, done) {
    const bytes = Uint8Array.from(x, (value) => Math.round(255 * value));
    this.send({ kind: "encode", x: toBase64(bytes) }, (answer) =>
      done({
        mean: Float32Array.from(answer.mean),
        logvar: answer.logvar && Float32Array.from(answer.logvar),
      }),
    );
  }

  /** Ask for the picture at z; requests that are overtaken are dropped. */
  pictureSoon(z, mode, seed, done) {
    const ask = () => {
      this.last = performance.now();
      this.send({ kind: "decode", z: Array.from(z), mode, seed }, (answer) => {
        const bytes = fromBase64(answer.picture);
        done(Float32Array.from(bytes, (value) => (value / 255) * answer.top));
      });
    };
    clearTimeout(this.timer);
    const wait = PAUSE_MS - (performance.now() - this.last);
    if (wait <= 0) ask();
    else this.timer = window.setTimeout(ask, wait);
  }

  send(request, done) {
    this.number += 1;
    // Only the newest request of a kind is waited for.
    for (const [number, waiting] of this.waiting) {
      if (waiting.kind === request.kind) this.waiting.delete(number);
    }
    this.waiting.set(this.number, { kind: request.kind, done });
    this.app.host.setState(request.kind, { ...request, number: this.number });
  }

  receive(answers) {
    for (const answer of answers) {
      const waiting = this.waiting.get(answer.number);
      if (!waiting) continue;
      this.waiting.delete(answer.number);
      waiting.done(answer);
    }
  }
}
