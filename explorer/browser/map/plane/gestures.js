/**
 * The hand on the map: hover decodes, a click holds, a drag pans, wheel and pinch zoom, the lasso
 * and box tools select (`keys.js` does it without a hand). A finger that moves up or down scrolls
 * the page until a tap has chosen the map (it has the focus then; see `touch-action`).
 */

const CLICK_PIXELS = 5;
const NEAR_PIXELS = 7;

/**
 * @param {import("../scene/app.js").App} app
 * @param {import("./map.js").LatentMap} map
 */
export function attachGestures(app, map) {
  const canvas = map.top;
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let start = { x0: 0, y0: 0 };
  let moved = false;
  let pinch = 0;

  /** @param {MouseEvent} event */
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    // Presentation mode scales the page, and the pointer comes in page pixels.
    const zoom = box.width / map.view.width || 1;
    return { x: (event.clientX - box.left) / zoom, y: (event.clientY - box.top) / zoom };
  };

  /**
   * What a captured finger says beyond the edge is the edge: z stays in view.
   * @param {{x: number, y: number}} at
   */
  const inView = ({ x, y }) => ({
    x: Math.min(map.view.width, Math.max(0, x)),
    y: Math.min(map.view.height, Math.max(0, y)),
  });

  /** @param {{x: number, y: number}} at */
  const hoverAt = (at) => {
    if (app.store.state.tool !== "hover") return;
    const { x, y } = inView(at);
    const [px, py] = map.view.toPlane(x, y);
    app.hoverAt(px, py, NEAR_PIXELS / map.view.scale, { x, y });
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture?.(event.pointerId);
    if (event.pointerType !== "touch") canvas.focus({ preventScroll: true });
    const at = place(event);
    fingers.set(event.pointerId, at);
    moved = false;
    start = { x0: at.x, y0: at.y };
    if (fingers.size === 2) pinch = spread(fingers);
    if (app.store.state.tool !== "hover") map.outline = [[at.x, at.y]];
    else if (event.pointerType === "touch") hoverAt(at);
  });

  canvas.addEventListener("pointermove", (event) => {
    const at = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      hoverAt(at);
      return;
    }
    fingers.set(event.pointerId, at);
    moved ||= Math.hypot(at.x - start.x0, at.y - start.y0) > CLICK_PIXELS;
    if (fingers.size === 2) {
      const now = spread(fingers);
      const middle = centre(fingers);
      map.view.zoomAt(middle.x, middle.y, now / pinch);
      map.view.panBy((at.x - before.x) / 2, (at.y - before.y) / 2);
      pinch = now;
      map.viewChanged(true);
    } else if (app.store.state.tool === "lasso") {
      map.outline.push([at.x, at.y]);
      map.repaintTop();
    } else if (app.store.state.tool === "box") {
      map.outline = [[start.x0, start.y0], [at.x, start.y0], [at.x, at.y], [start.x0, at.y]];
      map.repaintTop();
    } else if (event.pointerType === "touch") {
      // One finger decodes as it moves: there is no hover without a mouse.
      hoverAt(at);
    } else if (moved) {
      map.view.panBy(at.x - before.x, at.y - before.y);
      app.hoverEnd();
      map.viewChanged(true);
    }
  });

  /** @param {PointerEvent} event */
  const release = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    const at = inView(place(event));
    if (event.pointerType === "touch" && !moved) canvas.focus({ preventScroll: true });
    if (app.store.state.tool !== "hover") {
      app.selectOutline(map.outline.map(([x, y]) => map.view.toPlane(x, y)));
      map.outline = [];
      map.repaintTop();
    } else if (fingers.size === 0 && (!moved || (event.pointerType === "touch" && pinch === 0))) {
      const [px, py] = map.view.toPlane(at.x, at.y);
      app.pickAt(px, py, NEAR_PIXELS / map.view.scale, event.shiftKey);
    }
    if (fingers.size === 0) pinch = 0;
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", (event) => {
    // The page scrolls instead: what the finger met on its way is not held.
    fingers.delete(event.pointerId);
    app.hoverEnd();
  });
  canvas.addEventListener("pointerleave", () => app.hoverEnd());

  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const at = place(event);
      map.view.zoomAt(at.x, at.y, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)));
      map.viewChanged(true);
      hoverAt(at);
    },
    { passive: false },
  );
  canvas.addEventListener("dblclick", (event) => event.preventDefault());
}

/** @param {Map<number, {x: number, y: number}>} fingers of which there are two */
function spread(fingers) {
  const [a, b] = [...fingers.values()];
  return Math.hypot(a.x - b.x, a.y - b.y) || 1;
}

/** @param {Map<number, {x: number, y: number}>} fingers of which there are two */
function centre(fingers) {
  const [a, b] = [...fingers.values()];
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}
