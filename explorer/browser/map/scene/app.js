/**
 * What the parts of the page may know of it, and what they may ask it to do; `Explorer` is the one
 * that does it. Nothing here runs.
 * @typedef {import("../../model/header.js").Header} Header
 * @typedef {import("./state.js").State} State
 *
 * @typedef {object} Host who the page belongs to: Streamlit, a notebook, or a file that stands alone
 * @property {"streamlit" | "notebook" | "file"} kind
 * @property {(() => Worker) | null} startWorker
 * @property {(name: string, value: unknown) => void} setState
 * @property {(name: string, value: unknown) => void} trigger
 *
 * @typedef {object} Plane the map, as far as others know it
 * @property {HTMLElement} element
 * @property {HTMLCanvasElement} top
 * @property {import("../../shared/viewport.js").Viewport} view
 * @property {import("../geometry/projection.js").Projection} projection
 * @property {boolean} fitted whether all of it is in view
 * @property {number[][]} outline corners of what is being selected, on the screen
 * @property {{canDrawGlyphs: boolean}} points
 * @property {{forget: () => void}} tiles
 * @property {() => void} repaint
 * @property {() => void} refreshTiles
 *
 * @typedef {object} Codes the codes at hand
 * @property {number} size latents
 * @property {Float32Array} codes (N, size), row by row
 * @property {number} count N
 * @property {Uint8Array | Int32Array | null} labels
 * @property {import("../../model/header.js").Factor[]} factors
 * @property {import("../../model/header.js").Factor | undefined} factor what colours the points, if not the class
 * @property {ArrayLike<number> | null} groups the chosen words, else the classes: what is hidden
 * @property {string[]} groupNames
 * @property {number[]} order latents, the most active first
 * @property {number[] | null} kl nats per latent
 * @property {Map<number, number>} pictureOf from ids to places among the stored pictures
 * @property {(index: number) => number} idOf
 * @property {(index: number) => Float32Array} codeAt
 * @property {(z: Float32Array) => number} nearestCode
 * @property {() => void} readCodes
 *
 * @typedef {object} Page
 * @property {HTMLElement} root
 * @property {Header} header
 * @property {Host} host
 * @property {import("../../shared/text.js").Text} text
 * @property {import("../../shared/theme.js").Theme} theme
 * @property {import("../../model/choose.js").AnyModel} model
 * @property {import("../../shared/store.js").Store<State>} store
 * @property {Plane} map
 * @property {import("./state.js").Choice | undefined} tsne the t-SNE of the codes, once it is here
 * @property {number | undefined} wantedBeta β that the address asks for, until its model arrives
 * @property {number} painted how often the picture that comes out was drawn
 * @property {(() => boolean) | undefined} closePopups set while a window is open
 * @property {(() => void) | undefined} disposeLayout
 * @property {(() => void) | undefined} viewSettled told when the map has come to rest
 * @property {((file: {name: string, type: string, data: string}) => void) | undefined} saveFile
 *
 * @typedef {object} Actions
 * @property {() => State} initialState
 * @property {(choice: import("./state.js").Choice) => void} project
 * @property {(input: import("./state.js").Given, follow?: boolean) => void} setInput
 * @property {(index: number, follow?: boolean) => void} choosePicture
 * @property {() => void} nextPicture
 * @property {(z: Float32Array) => void} setZ
 * @property {(index: number, value: number) => void} setLatent
 * @property {() => void} commit
 * @property {(x: number, y: number, reach: number, screen: {x: number, y: number}) => void} hoverAt
 * @property {() => void} hoverEnd
 * @property {(x: number, y: number, reach: number, pin: boolean) => void} pickAt
 * @property {() => void} samplePrior
 * @property {() => void} reset
 * @property {(z?: Float32Array) => void} addPin
 * @property {(name: string) => void} removePin
 * @property {(outline: number[][]) => void} selectOutline
 * @property {(indices: number[]) => void} select
 * @property {() => void} clearSelection
 * @property {(index: number) => void} showMember
 * @property {() => void} askProjection
 * @property {(key: string, values?: Record<string, string | number>) => void} notify
 *
 * @typedef {Page & Codes & Actions} App
 *
 * @typedef {object} Message what Python tells a page that is open
 * @property {NonNullable<State["models"]>} [models]
 * @property {import("../../model/remote.js").Answer[]} [decoded]
 * @property {{name: string, type: string, data: string}} [file]
 * @property {string} [failure]
 * @property {import("./tsne.js").ProjectionMessage} [projection]
 */

export {};
