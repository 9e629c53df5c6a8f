/**
 * p(z): the standard normal, or a learned mixture of diagonal normals.
 * @typedef {{weight: number, mean: number[], scale: number[]}} Component
 */

const LOG_2PI = Math.log(2 * Math.PI);

export class Prior {
  /** @param {import("./header.js").MixtureHeader | null | undefined} mixture */
  constructor(mixture) {
    /** @type {Component[] | null} null for N(0, I) */
    this.components =
      mixture?.weights.map((weight, c) => ({ weight, mean: mixture.mean[c], scale: mixture.scale[c] })) ?? null;
  }

  get isStandard() {
    return this.components === null;
  }

  /**
   * log p(z) in nats.
   * @param {Float32Array} z
   */
  logDensity(z) {
    if (!this.components) return logNormal(z, null);
    const logs = this.components.map((part) => Math.log(part.weight) + logNormal(z, part));
    const top = Math.max(...logs);
    return top + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - top), 0));
  }

  /**
   * A draw of `size` numbers.
   * @param {number} size
   * @param {import("../shared/random.js").Random} random
   */
  sample(size, random) {
    if (!this.components) return Float32Array.from({ length: size }, () => random.normal());
    let left = random.uniform();
    const part = this.components.find(({ weight }) => (left -= weight) < 0) ?? this.components[0];
    return Float32Array.from({ length: size }, (_, i) => part.mean[i] + part.scale[i] * random.normal());
  }
}

/**
 * log of a diagonal normal's density at z, of N(0, I) where `part` is null.
 * @param {Float32Array} z
 * @param {Component | null} part
 */
function logNormal(z, part) {
  let sum = 0;
  for (let i = 0; i < z.length; i++) {
    const scale = part ? part.scale[i] : 1;
    const distance = (z[i] - (part ? part.mean[i] : 0)) / scale;
    sum -= 0.5 * (distance * distance + LOG_2PI) + Math.log(scale);
  }
  return sum;
}

/**
 * KL(N(μ, e^lv) ‖ N(0, 1)) per dimension, in nats.
 * @param {Float32Array} mean
 * @param {Float32Array} logvar
 */
export function gaussianKl(mean, logvar) {
  return mean.map((mu, i) => 0.5 * (Math.expm1(logvar[i]) - logvar[i] + mu * mu));
}
