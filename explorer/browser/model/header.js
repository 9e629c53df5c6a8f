/**
 * What Python writes into a payload, as types (explorer/export/payload.py and sweep.py). Nothing
 * here runs.
 *
 * @typedef {import("./layers/contract.js").Floats} Floats
 * @typedef {import("./likelihoods/contract.js").LikelihoodHeader} LikelihoodHeader
 * @typedef {{weights: number[], mean: number[][], scale: number[][]}} MixtureHeader
 * @typedef {{kind: string} & Record<string, any>} LayerHeader settings, weights and branches by name
 * @typedef {{multiplyAdds?: number, encoder: LayerHeader[], decoder: LayerHeader[]}} NetworksHeader
 *
 * @typedef {object} ModelHeader what a model needs to be interpreted
 * @property {number[]} shape (C, H, W)
 * @property {{kind: string, size: number, logvarBound: number | null}} latent its log-variances lie smoothly inside ± the bound
 * @property {MixtureHeader | null} prior
 * @property {LikelihoodHeader} likelihood
 * @property {NetworksHeader | null} networks null where the server decodes, or an atlas stands for them
 * @property {AtlasHeader | null} [atlas] of a file whose networks are too large for it
 * @property {boolean} [live] a pair of functions in a notebook, whose pictures are all that is known of p(x|z)
 *
 * @typedef {object} AtlasHeader points that were decoded in advance (explorer/export/atlas.py)
 * @property {Float32Array} points (M, K), row by row
 * @property {import("../shared/sheet.js").Sheet} sheet
 * @property {Uint8Array} pixels of the sheet, once it is open
 * @property {Float32Array | null} mean (P, K) of the pictures that came along
 * @property {Float32Array | null} logvar
 *
 * @typedef {object} CodesHeader
 * @property {Float32Array} mean (N, K), row by row
 * @property {Uint8Array | Int32Array | null} labels
 * @property {number | Int32Array} ids the first of consecutive ones, or all
 * @property {number[] | null} kl nats per latent
 * @property {number[] | null} spread
 * @property {number[] | null} low 2.5 % quantile per latent
 * @property {number[] | null} high 97.5 % quantile per latent
 * @property {Factor[]} [factors] what else is known of the images
 *
 * @typedef {object} Factor a number or a word per code
 * @property {string} name
 * @property {string[] | null} words null for numbers
 * @property {Float32Array | Uint8Array} values numbers, or which of the words
 * @property {number} low the smallest number
 * @property {number} high
 *
 * @typedef {object} PicturesHeader
 * @property {Uint8Array} pixels of the sheet where there is one, once it is open
 * @property {import("../shared/sheet.js").Sheet | null} [sheet] in a file, of coloured pictures
 * @property {Uint8Array | Int32Array | null} labels
 * @property {Int32Array} ids
 * @property {string} source the split, or "sample"
 * @property {string} credit whose they are, where their licence asks for it
 *
 * @typedef {object} FiguresHeader
 * @property {number | null} beta
 * @property {boolean} [implied] whether β is read off the weights alone
 * @property {string} [moved] β as it was planned and as it became, where a hand moved it
 * @property {string | null} split
 * @property {number | null} elbo
 * @property {number | null} reconstruction
 * @property {number | null} kl
 *
 * @typedef {object} PageHeader
 * @property {string} id
 * @property {string} name
 * @property {CodesHeader | null} codes
 * @property {PicturesHeader | null} pictures
 * @property {string[]} classes
 * @property {FiguresHeader} figures
 * @property {string} preprocessing
 * @property {string} language
 * @property {Record<string, string>} text
 * @property {string} [scene] what a file's document or a notebook asks for
 *
 * @typedef {ModelHeader & PageHeader} Header the payload of a latent map
 *
 * @typedef {object} Member one more model of a sweep over β
 * @property {string} of the model that its latents are matched to
 * @property {string} id
 * @property {boolean} otherNetwork
 * @property {boolean} moved whether latents changed places or signs
 * @property {NetworksHeader} networks
 * @property {LikelihoodHeader} likelihood
 * @property {CodesHeader} codes
 * @property {FiguresHeader & {beta: number}} figures
 * @property {string} fingerprint
 */

export {};
