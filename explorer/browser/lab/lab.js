import { blendCodes } from "../film/frames.js";
import { drawScatter } from "../film/scatter.js";
import { clearCanvas } from "../shared/clear.js";
import { button, make } from "../shared/dom.js";
import { createText } from "../shared/text.js";
import { Hand } from "./hand.js";
import { codesAt, lineOf, mix, placeAt } from "./line.js";
import { boundsOf, drawPlane, project } from "./plane.js";
import { Scale } from "./scale.js";
import { Side } from "./side.js";

/**
 * One linked picture of a sweep: dragging β, or another setting of its grid, moves the point on the
 * plane, the map and the pictures; a second slider is the film of all their trainings.
 * @typedef {import("./line.js").Member} Member
 * @typedef {import("./main.js").Data} Data
 */

const SWEEP_PACE = 1 / 900;
const FILM_PACE = 1 / 500;
/** Looks at the small maps from one frame of the film to the next. */
const LOOKS = 5;

export class Lab {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Data | null} */
    this.data = null;
    /** @type {Member[]} */
    this.members = [];
    /** Which setting the hand moves. */
    this.axis = 0;
    /** @type {number[]} the model at hand, on each axis */
    this.at = [];
    /** @type {number[]} of all members' frames */
    this.steps = [];
    this.drawn = 0;
    this.told = "";
    /** @type {(rest: {sweep: string, model: string, step: number | null}) => void} */
    this.tell = () => {};
    /** @type {(wish: {model: string, page: string}) => void} */
    this.open = () => {};
    const [draw, rest] = [() => this.draw(), () => this.rest()];
    this.sweep = new Hand({ pace: SWEEP_PACE, snaps: true, draw, rest });
    this.film = new Hand({ pace: FILM_PACE, snaps: false, draw, rest });
    this.scale = new Scale((place) => this.sweep.go(place));
    this.side = new Side();
    this.settings = make("div", { class: "settings" });
    this.name = make("output");
    this.moment = make("output");
    this.plane = make("canvas", { role: "img" });
    this.map = make("canvas", { role: "img" });
    this.outside = make("small");
    this.ways = ["explore", "train"].map((page) => button("", () => this.open({ model: this.here.id, page }), { class: "way" }));
    this.plane.addEventListener("click", (event) => this.choose(event));
    root.replaceChildren(
      make("div", { class: "head" }, this.settings, this.name),
      make("div", { class: "ways" }, ...this.ways),
      make("div", { class: "hand sweep" }, this.sweep.button, make("div", { class: "over" }, this.scale.root, this.sweep.slider)),
      make("div", { class: "plane" }, this.plane),
      make("div", { class: "map" }, this.map, this.outside),
      this.side.root,
      make("div", { class: "hand film" }, this.film.button, this.film.slider, this.moment),
    );
    new ResizeObserver(() => this.draw()).observe(root);
    Object.assign(root, { lab: this });
  }

  /** The models that the hand goes through. */
  get line() {
    return lineOf(this.members, this.axis, this.at);
  }

  /** The model that is nearest to the hand. */
  get here() {
    const { line } = this;
    return line[Math.min(line.length - 1, Math.round(this.sweep.at))];
  }

  get isEnd() {
    return this.film.at >= this.film.last;
  }

  /** The step at which the film stands. */
  get step() {
    return this.stepAt(this.film.at);
  }

  /** @param {number} place in the film, between frames too */
  stepAt(place) {
    const low = Math.floor(place);
    const high = Math.min(this.film.last, low + 1);
    return this.steps[low] + (place - low) * (this.steps[high] - this.steps[low]);
  }

  /**
   * @param {Data} data
   * @param {Member[]} members
   */
  receive(data, members) {
    const isNew = this.data?.sweep !== data.sweep;
    const isLed = !isNew && this.data?.led !== data.led;
    const starts = isNew || isLed;
    const wasEnd = starts || this.isEnd;
    const standing = starts ? data.start.model : this.here?.name;
    const place = this.sweep.at;
    this.data = data;
    this.members = members;
    this.steps = [...new Set(members.flatMap((member) => member.frames.map((frame) => frame.step)))].sort((a, b) => a - b);
    if (!members.length || !this.steps.length) return;
    this.text = createText(data.words);
    if (isNew) {
      this.axis = 0;
      this.told = "";
    }
    this.bounds = boundsOf(members.map((member) => placeAt(member, null)));
    const { words } = data;
    this.film.set(this.steps.length - 1, words.film, { play: words.play, pause: words.pause });
    if (wasEnd && !this.film.playing) this.film.at = this.film.last;
    if (starts && data.start.step !== null) this.film.at = Math.max(0, this.steps.indexOf(data.start.step));
    this.ways.forEach((way, i) => (way.textContent = words[["open", "watch"][i]]));
    this.stand(members.find(({ name }) => name === standing) ?? members[0]);
    // A tick of a training that lives leaves the hand where it is.
    if (!starts && place !== Math.round(place) && place <= this.sweep.last) this.sweep.at = place;
    this.layOut();
    this.draw();
    if (isLed) this.rest();
  }

  /** @param {Member} member the hand goes to it, on its line */
  stand(member) {
    this.at = member.at;
    const { line, data } = this;
    this.sweep.set(line.length - 1, data?.axes[this.axis]?.label ?? "", {
      play: data?.words.sweep ?? "",
      pause: data?.words.pause ?? "",
    });
    this.sweep.at = line.indexOf(member);
  }

  /** The settings of the grid: which one the hand moves, and where the others are held. */
  layOut() {
    const { data } = this;
    if (!data) return;
    const several = data.axes.length > 1;
    this.settings.hidden = !several;
    if (!several) return;
    const moved = make(
      "select", { "aria-label": data.words.moves, onchange: () => this.turn(Number(moved.value)) },
      ...data.axes.map(({ label }, i) => make("option", { value: String(i), selected: i === this.axis }, label)),
    );
    const held = data.axes.flatMap(({ label, values }, i) => {
      if (i === this.axis) return [];
      const select = make(
        "select", { "aria-label": label, onchange: () => this.hold(i, Number(select.value)) },
        ...values.map((value, place) => make("option", { value: String(place), selected: place === this.at[i] }, value)),
      );
      return [select];
    });
    this.settings.replaceChildren(make("span", {}, data.words.moves), moved, ...held);
  }

  /** @param {number} axis move along it from now on */
  turn(axis) {
    const { here } = this;
    this.sweep.halt();
    this.axis = axis;
    this.stand(here);
    this.layOut();
    this.draw();
    this.rest();
  }

  /**
   * Hold a setting at another value; where no model has all of them, the nearest one is taken.
   * @param {number} axis
   * @param {number} place
   */
  hold(axis, place) {
    const { here } = this;
    const far = (/** @type {Member} */ { at }) => at.reduce((sum, value, i) => sum + Math.abs(value - here.at[i]), 0);
    const [found] = this.members.filter(({ at }) => at[axis] === place).sort((a, b) => far(a) - far(b));
    this.sweep.halt();
    if (found) this.stand(found);
    this.layOut();
    this.draw();
    this.rest();
  }

  /** @param {MouseEvent} event choose the model that is nearest on the plane */
  choose(event) {
    if (!this.bounds) return;
    const at = project(this.bounds, this.plane.clientWidth, this.plane.clientHeight);
    const box = this.plane.getBoundingClientRect();
    const zoom = box.width / this.plane.clientWidth;
    const far = (/** @type {Member} */ member) => {
      const [x, y] = at(placeAt(member, this.isEnd ? null : this.step));
      return Math.hypot(box.left + zoom * x - event.clientX, box.top + zoom * y - event.clientY);
    };
    const [nearest] = [...this.members].sort((a, b) => far(a) - far(b));
    const place = this.line.indexOf(nearest);
    if (place >= 0) {
      this.sweep.go(place);
      return;
    }
    this.sweep.halt();
    this.stand(nearest);
    this.layOut();
    this.draw();
    this.rest();
  }

  /** Tell where the hand came to rest, once. */
  rest() {
    const { here } = this;
    const low = this.steps[Math.floor(this.film.at)];
    const rest = { sweep: this.data?.sweep ?? "", model: here.name, step: this.isEnd ? null : low };
    this.at = here.at;
    const told = JSON.stringify(rest);
    if (told === this.told) return;
    this.told = told;
    this.tell(rest);
  }

  draw() {
    const { data, line, bounds, text } = this;
    if (!data || !text || !bounds || !line.length || !this.map.clientWidth) return;
    this.drawn++;
    const { step, isEnd, here } = this;
    const low = Math.min(line.length - 1, Math.floor(this.sweep.at));
    const part = this.sweep.at - low;
    const [one, other] = [line[low], line[Math.min(line.length - 1, low + 1)]];
    const style = getComputedStyle(this.root);
    const names = (/** @type {Member} */ member) => member.names.join(" · ");
    const told = part
      ? text("between", { one: one.names[this.axis], other: other.names[this.axis] })
      : names(one);
    this.name.textContent = told;
    this.name.classList.toggle("passing", part > 0);
    this.sweep.show(part ? told : one.names[this.axis]);
    const moment = text(isEnd ? "end" : "step", { step: Math.floor(step).toLocaleString("en") });
    this.moment.textContent = moment;
    this.film.show(moment);
    for (const way of this.ways) way.disabled = part > 0;

    const codes = blendCodes(codesAt(one, step), codesAt(other, step), part);
    drawScatter(
      clearCanvas(this.map), this.map.clientWidth, this.map.clientHeight,
      { codes, reach: data.reach, labels: data.labels, names: data.classes, rings: data.rings, axes: data.dimensions },
      style,
    );
    this.map.setAttribute("aria-label", text("map", { count: codes.length / 2, model: told }));
    const away = codes.reduce((sum, value, i) => sum + Number(i % 2 === 0 && Math.max(Math.abs(value), Math.abs(codes[i + 1])) > data.reach), 0);
    this.outside.textContent = away ? text("outside", { count: away }) : "";

    const time = isEnd ? null : step;
    drawPlane(
      clearCanvas(this.plane), this.plane.clientWidth, this.plane.clientHeight,
      {
        points: this.members.map((member) => ({
          place: placeAt(member, time), mark: member.marks[this.axis], isOnLine: line.includes(member),
        })),
        hand: mix(placeAt(one, time), placeAt(other, time), part),
        slope: part ? null : one.beta,
        theory: data.theory,
        bounds,
        words: { rate: data.words.rate, distortion: data.words.distortion, theory: data.words.theory },
      },
      style,
    );
    this.plane.setAttribute("aria-label", text("plane", { model: told }));
    const coarse = this.stepAt(Math.round(this.film.at * LOOKS) / LOOKS);
    this.scale.draw(line, this.axis, coarse, line.indexOf(here), { reach: data.reach, labels: data.labels, stamp: `${data.placing} ${this.isEnd}` });
    this.side.draw(one, other, part, step, isEnd, data);
  }
}
