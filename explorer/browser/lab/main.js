import { readFrame } from "../film/frames.js";
import { Lab } from "./lab.js";

/**
 * How Streamlit mounts the lab: what Python sends, and what it hears: `rest`, where the hand was let
 * go ({sweep, model, step}, step null for the end), and `open` ({model, page}).
 * @typedef {import("../film/frames.js").Sent} Sent
 * @typedef {Omit<import("./line.js").Member, "frames"> & {frames: Sent[]}} SentMember with all frames, or what is new
 *
 * @typedef {object} Data
 * @property {string} sweep
 * @property {string} placing another one: the frames lie on other axes
 * @property {{name: string, label: string, values: string[]}[]} axes of the grid
 * @property {SentMember[]} members
 * @property {number} reach half of what the map shows
 * @property {number[] | null} labels
 * @property {string[]} classes
 * @property {import("../film/frames.js").Pictures | null} inputs
 * @property {string[]} dimensions names of the plane's two
 * @property {boolean} rings
 * @property {{rates: number[], distortions: number[]} | null} theory
 * @property {{model: string, step: number | null}} start
 * @property {number} led how often Back led here: each time the hand goes to `start`
 * @property {Record<string, string>} words
 */

/** @type {WeakMap<object, Lab>} */
const mounted = new WeakMap();

/** @param {import("../shared/component.js").Component<[Data]>} component */
export default function mount({ data: [data], parentElement, setStateValue, setTriggerValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".lab"));
  const lab = mounted.get(root) ?? new Lab(root);
  mounted.set(root, lab);
  lab.tell = (rest) => setStateValue("rest", rest);
  lab.open = (wish) => setTriggerValue("open", wish);
  lab.receive(data, readMembers(lab, data));
  return undefined;
}

/**
 * Members with the frames that the lab has already and those that came.
 * @param {Lab} lab
 * @param {Data} data
 * @returns {import("./line.js").Member[]}
 */
function readMembers(lab, data) {
  const isSame = lab.data?.sweep === data.sweep && lab.data.placing === data.placing;
  return data.members.map((sent) => {
    const former = isSame ? lab.members.find((member) => member.name === sent.name) : undefined;
    const frames = new Map(former?.frames.map((frame) => [frame.step, frame]));
    const newest = sent.frames.at(-1)?.step ?? Infinity;
    // A resumed training takes back the frames after its checkpoint.
    for (const step of frames.keys()) if (step > newest) frames.delete(step);
    for (const frame of sent.frames) if (!frames.has(frame.step)) frames.set(frame.step, readFrame(frame));
    return { ...sent, frames: [...frames.values()].sort((a, b) => a.step - b.step) };
  });
}
