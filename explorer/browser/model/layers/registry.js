import { flatten, permute, reshape, slice } from "./arrange.js";
import { conv, transposedConv } from "./convolution.js";
import { linear } from "./linear.js";
import { batchNorm, groupNorm, layerNorm, softmax } from "./normalise.js";
import { POINTWISE } from "./pointwise.js";
import { averagePool, maxPool, pad, upsample } from "./windows.js";

/**
 * Every kind of layer without branches, by its name in explorer/models/adopted/layers/schema.py.
 * @type {Record<string, import("./contract.js").Maker>}
 */
export const LAYERS = {
  ...POINTWISE,
  linear,
  conv,
  transposedConv,
  batchNorm,
  groupNorm,
  layerNorm,
  softmax,
  maxPool,
  averagePool,
  pad,
  upsample,
  flatten,
  reshape,
  permute,
  slice,
};
