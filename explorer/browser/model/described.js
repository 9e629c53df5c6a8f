import { sizeOf } from "./layers/contract.js";
import { buildLikelihood } from "./likelihood.js";
import { Prior } from "./prior.js";

/**
 * What a payload says of a model, wherever its networks run.
 * @typedef {"mean" | "sample" | "deviation"} Mode of p(x|z), what is shown
 * @typedef {{mean: Float32Array, logvar: Float32Array | null}} Code q(z|x), or a point without logvar
 */
export class DescribedModel {
  /** @param {import("./header.js").ModelHeader} header */
  constructor(header) {
    this.shape = header.shape;
    this.pixelCount = sizeOf(header.shape);
    this.latentSize = header.latent.size;
    this.logvarBound = header.latent.logvarBound;
    this.hasPosterior = header.latent.kind === "gaussian";
    this.prior = new Prior(header.prior);
    this.binarise = header.likelihood.binarise;
    this.sigma2 = header.likelihood.sigma2;
    this.likelihood = buildLikelihood(header.likelihood, this.pixelCount);
  }

  /** Of how many points the picture is known: 0 where any point can be decoded. */
  get decodedPoints() {
    return 0;
  }
}
