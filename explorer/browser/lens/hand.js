import { handlesOf } from "./stage.js";

/**
 * The hand on q: drag inside moves it, square handles stretch, the round one turns; dragging the
 * ground pans, wheel and pinch zoom; arrows move, brackets turn, + − 0 zoom.
 */

const NEAR = { mouse: 11, touch: 22 };
const INSIDE = 24;

/**
 * @typedef {import("./gaussian.js").Normal} Normal
 * @typedef {{x: number, y: number}} Point in the stage's pixels
 * @typedef {"a" | "b" | "turn" | "move"} Held a handle, or q itself
 * @typedef {{kind: Held, at: Point, q: Normal} | {kind: "pinch", spread: number} | {kind: "ground"}} Grip
 *
 * @typedef {object} Lens what the hand moves
 * @property {Normal} q
 * @property {boolean} held
 * @property {() => void} hold
 * @property {() => void} release
 * @property {(q: Normal) => void} drag
 * @property {(q: Normal) => void} nudge
 * @property {() => void} fit
 * @property {() => void} viewMoved
 *
 * @param {Lens} lens
 * @param {import("./stage.js").Stage} stage
 */
export function attachHand(lens, stage) {
  const { canvas, view } = stage;
  /** @type {Map<number, Point>} */
  const fingers = new Map();
  /** @type {Grip | null} */
  let grip = null;

  /** @param {MouseEvent} event */
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const zoom = box.width / view.width || 1;
    return { x: (event.clientX - box.left) / zoom, y: (event.clientY - box.top) / zoom };
  };

  /**
   * What lies under the pointer: a handle, q itself, or the ground.
   * @param {Point} at
   * @param {boolean} touch
   * @returns {Held | "ground"}
   */
  const under = (at, touch) => {
    const q = lens.q;
    const near = touch ? NEAR.touch : NEAR.mouse;
    const [dx, dy] = [at.x - view.toScreenX(q.x), at.y - view.toScreenY(q.y)];
    const found = handlesOf(view, q)
      .map((handle) => ({ kind: handle.kind, distance: Math.hypot(at.x - handle.x, at.y - handle.y) }))
      .sort((one, other) => one.distance - other.distance)[0];
    const centre = Math.hypot(dx, dy);
    if (found.distance < near && found.distance < centre) return found.kind;
    const [cos, sin] = [Math.cos(q.angle), Math.sin(q.angle)];
    const [u, v] = [dx * cos - dy * sin, dx * sin + dy * cos];
    const inside = Math.hypot(u / (2 * q.a * view.scale), v / (2 * q.b * view.scale)) < 1;
    return inside || centre < INSIDE ? "move" : "ground";
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture?.(event.pointerId);
    canvas.focus({ preventScroll: true });
    const at = place(event);
    fingers.set(event.pointerId, at);
    if (fingers.size === 2) {
      grip = { kind: "pinch", spread: spread(fingers) };
      return;
    }
    const kind = under(at, event.pointerType === "touch");
    grip = kind === "ground" ? { kind } : { kind, at, q: { ...lens.q } };
    if (kind !== "ground") lens.hold();
    event.preventDefault();
  });

  canvas.addEventListener("pointermove", (event) => {
    const at = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      canvas.dataset.under = under(at, false);
      return;
    }
    fingers.set(event.pointerId, at);
    if (!grip) return;
    if (grip.kind === "pinch") {
      const now = spread(fingers);
      const [one, other] = [...fingers.values()];
      view.zoomAt((one.x + other.x) / 2, (one.y + other.y) / 2, now / grip.spread);
      grip.spread = now;
      moved();
    } else if (grip.kind === "ground") {
      view.panBy(at.x - before.x, at.y - before.y);
      moved();
    } else lens.drag(dragged(grip, at));
  });

  /**
   * q as the grip has it when the pointer is at `at`.
   * @param {{kind: Held, at: Point, q: Normal}} grip
   * @param {Point} at
   */
  const dragged = ({ kind, at: start, q }, at) => {
    if (kind === "move") {
      return { ...q, x: q.x + (at.x - start.x) / view.scale, y: q.y - (at.y - start.y) / view.scale };
    }
    const [cx, cy] = [view.toScreenX(q.x), view.toScreenY(q.y)];
    if (kind === "turn") {
      const turn = Math.atan2(-(at.y - cy), at.x - cx) - Math.atan2(-(start.y - cy), start.x - cx);
      return { ...q, angle: q.angle + turn };
    }
    const axis = q.angle + (kind === "b" ? Math.PI / 2 : 0);
    /** @param {Point} p */
    const along = (p) => Math.abs((p.x - cx) * Math.cos(axis) - (p.y - cy) * Math.sin(axis));
    const factor = Math.max(0.02, along(at)) / Math.max(1, along(start));
    return { ...q, [kind]: q[kind] * factor };
  };

  /** @param {PointerEvent} event */
  const release = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (lens.held) lens.release();
    grip = null;
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("dblclick", (event) => event.preventDefault());

  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const at = place(event);
      view.zoomAt(at.x, at.y, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)));
      moved();
    },
    { passive: false },
  );

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { q } = lens;
    const step = (event.shiftKey ? 16 : 4) / view.scale;
    const turn = ((event.shiftKey ? 10 : 2) * Math.PI) / 180;
    /** @type {Record<string, Partial<Normal>>} */
    const moves = {
      ArrowLeft: { x: q.x - step },
      ArrowRight: { x: q.x + step },
      ArrowUp: { y: q.y + step },
      ArrowDown: { y: q.y - step },
      "[": { angle: q.angle + turn },
      "]": { angle: q.angle - turn },
      "{": { angle: q.angle + turn },
      "}": { angle: q.angle - turn },
    };
    /** @type {Record<string, number>} */
    const zooms = { "+": 1.25, "=": 1.25, "-": 0.8 };
    if (moves[event.key]) lens.nudge({ ...q, ...moves[event.key] });
    else if (zooms[event.key]) {
      view.zoomAt(view.width / 2, view.height / 2, zooms[event.key]);
      moved();
    } else if (event.key === "0") lens.fit();
    else return;
    event.preventDefault();
  });

  const moved = () => {
    stage.fitted = false;
    lens.viewMoved();
  };
}

/** @param {Map<number, Point>} fingers of which there are two */
function spread(fingers) {
  const [one, other] = [...fingers.values()];
  return Math.hypot(one.x - other.x, one.y - other.y) || 1;
}
