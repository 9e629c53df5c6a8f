import { readFrame } from "../film/frames.js";
import { drawScatter } from "../film/scatter.js";
import { clearCanvas } from "../shared/clear.js";
import { make } from "../shared/dom.js";
import { createText } from "../shared/text.js";
import { drawPlane } from "./plane.js";

/**
 * The codes at the playhead: their map, and beside it the plane where active and passive latents
 * separate. Shown is the last stored frame up to the step; nothing is made up between two of them.
 * @typedef {import("./plane.js").Measures} Measures
 * @typedef {import("../film/frames.js").Sent & {measures: Measures | null}} Sent
 * @typedef {import("../film/frames.js").Frame & {measures: Measures | null}} Frame
 *
 * @typedef {object} Film
 * @property {string} placing another one takes the place of the frames that are kept
 * @property {number[]} steps of the frames that are to be shown
 * @property {Sent[]} frames all of them, or those that the browser has not had yet
 * @property {number[] | null} labels
 * @property {string[]} classes
 * @property {string[]} axes names of the map's two
 * @property {string[]} latents their names
 * @property {boolean} rings
 * @property {number} dead nats below which a latent is asleep
 * @property {Record<string, string>} words
 */

/**
 * The last frame up to a step, the first one where none is.
 * @template {{step: number}} Each
 * @param {Each[]} frames by step
 * @param {number} step
 * @returns {Each | undefined}
 */
export function frameAt(frames, step) {
  return frames.filter((frame) => frame.step <= step).at(-1) ?? frames[0];
}

export class Codes {
  constructor() {
    this.map = make("canvas", { role: "img" });
    this.plane = make("canvas", { role: "img" });
    this.mapTold = make("figcaption");
    this.planeTold = make("figcaption");
    this.planeShown = make("figure", {}, this.plane, this.planeTold);
    this.root = make("div", { class: "codes" }, make("figure", {}, this.map, this.mapTold), this.planeShown);
    /** @type {Film | null} */
    this.film = null;
    /** @type {Map<number, Frame>} */
    this.kept = new Map();
    /** @type {Frame[]} */
    this.frames = [];
    this.reach = 0;
    this.span = 1;
  }

  /** @param {Film | null} film */
  receive(film) {
    if (film?.placing !== this.film?.placing) this.kept.clear();
    this.film = film;
    for (const sent of film?.frames ?? []) {
      this.kept.set(sent.step, { ...readFrame(sent), measures: sent.measures });
    }
    this.frames = (film?.steps ?? []).flatMap((step) => this.kept.get(step) ?? []);
    // The same scale at every step: codes move, not the plane that they lie on.
    this.reach = Math.max(...this.frames.map(({ reach }) => reach));
    const measured = this.frames.flatMap(({ measures }) => (measures ? [...measures.var_mean, ...measures.mean_var] : []));
    this.span = 1.1 * Math.max(1, ...measured);
    this.root.hidden = !this.frames.length;
  }

  /** The film of which a frame never arrived, null where none is wanting. */
  get lacks() {
    return this.film && this.frames.length < this.film.steps.length ? this.film.placing : null;
  }

  /** Show the frame at a step. @param {number} step */
  draw(step) {
    const { film } = this;
    const frame = frameAt(this.frames, step);
    if (!film || !frame || !this.map.clientWidth) return;
    const style = getComputedStyle(this.root);
    const say = createText(film.words);
    const told = { count: (frame.codes.length / 2).toLocaleString("en"), step: frame.step.toLocaleString("en") };
    drawScatter(
      clearCanvas(this.map), this.map.clientWidth, this.map.clientHeight,
      { ...film, ...frame, names: film.classes, reach: this.reach }, style,
    );
    this.mapTold.textContent = say("map", told);
    this.map.setAttribute("aria-label", this.mapTold.textContent);
    this.planeShown.hidden = !frame.measures;
    if (!frame.measures) return;
    drawPlane(
      clearCanvas(this.plane), this.plane.clientWidth, this.plane.clientHeight,
      { measures: frame.measures, span: this.span, names: film.latents, dead: film.dead, words: film.words }, style,
    );
    this.planeTold.textContent = say("plane", told);
    this.plane.setAttribute("aria-label", this.planeTold.textContent);
  }
}
