/**
 * What Python writes for the lens, as types (explorer/export/lens.py). Nothing here runs.
 *
 * @typedef {{mean: number[], factor: number[][]}} NormalHeader a mean and a factor of the covariance
 *
 * @typedef {object} Exact the exact posterior and the encoder's own terms
 * @property {number} log_px
 * @property {number} error
 * @property {boolean} certified
 * @property {number} residual
 * @property {number} reconstruction
 * @property {number} kl
 * @property {number[]} mean
 * @property {number[]} levels of the raster, around 50, 90 and 99 % of the mass
 *
 * @typedef {import("../model/header.js").ModelHeader} ModelHeader
 * @typedef {import("../model/header.js").NetworksHeader} NetworksHeader
 *
 * @typedef {object} LensPart
 * @property {NetworksHeader} networks the decoder alone
 * @property {Float32Array} x the image as it is scored
 * @property {NormalHeader} encoder
 * @property {Exact} exact
 * @property {import("./contours.js").Raster} raster
 * @property {{mean: Float32Array, labels: Uint8Array | Int32Array | null} | null} codes
 * @property {string} language
 * @property {Record<string, string>} text
 *
 * @typedef {ModelHeader & LensPart & {refined?: Refinement | null}} LensHeader
 *
 * @typedef {object} Refinement how q was refined
 * @property {string} fingerprint
 * @property {NormalHeader[]} diagonal
 * @property {NormalHeader[]} full
 * @property {NormalHeader & {elbo: number}} best_diagonal
 * @property {NormalHeader & {elbo: number}} best_full
 * @property {boolean} jumped
 */

export {};
