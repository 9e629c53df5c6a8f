/**
 * Names beside points, none upon another: points of one state in one heap share a name, and a name
 * that has no room beside its point stands off, at the end of a line, or is left out.
 * @typedef {{name: string, x: number, y: number, asleep: boolean}} Point
 * @typedef {{text: string, point: Point}} Group
 * @typedef {{left: number, right: number, top: number, bottom: number}} Frame
 * @typedef {{x: number, y: number, near: number, leads: boolean}} Place `near` is the end towards the point
 */

/** Pixels: points no further from each other than this are one heap. */
const HEAP = 12;
const LINE = 14;
const OFF = 8;
/** Lines above and below the point at which a name is tried, the nearest first. */
const LINES = [-0.7, 0.7, 0, -1.7, 1.7, -2.7, 2.7, -3.7, 3.7];
const NAMED = 3;

/** The heaps of points, each with its names: "z₄, z₇ +6" of more than three. @param {Point[]} points @returns {Group[]} */
export function joinNames(points) {
  /** @type {{names: string[], point: Point}[]} */
  const heaps = [];
  for (const point of points) {
    const heap = heaps.find(({ point: { x, y, asleep } }) => asleep === point.asleep && Math.hypot(x - point.x, y - point.y) <= HEAP);
    if (heap) heap.names.push(point.name);
    else heaps.push({ names: [point.name], point });
  }
  return heaps.map(({ names, point }) => ({ text: join(names), point }));
}

/** @param {string[]} names */
function join(names) {
  if (names.length <= NAMED) return names.join(", ");
  return `${names.slice(0, NAMED - 1).join(", ")} +${names.length - NAMED + 1}`;
}

/**
 * Where the names of heaps stand within a frame.
 * @param {Group[]} groups
 * @param {Frame} frame
 * @param {(text: string) => number} measure how wide a text is
 * @returns {(Group & {at: Place})[]}
 */
export function placeNames(groups, frame, measure) {
  const taken = groups.map(({ point }) => box(point.x - 5, point.y, 10));
  const placed = [];
  for (const group of groups) {
    const { x, y } = group.point;
    const wide = measure(group.text);
    const places = LINES.flatMap((lines) => [
      { x: x + OFF, y: y + lines * LINE, near: x + OFF - 2, leads: Math.abs(lines) > 1 },
      { x: x - OFF - wide, y: y + lines * LINE, near: x - OFF + 2, leads: Math.abs(lines) > 1 },
    ]);
    const at = places.find((place) => {
      const own = box(place.x, place.y, wide);
      return own.left >= frame.left && own.right <= frame.right && own.top >= frame.top - LINE / 2
        && own.bottom <= frame.bottom + LINE / 2 && !taken.some((other) => meet(own, other));
    });
    if (!at) continue;
    taken.push(box(at.x, at.y, wide));
    placed.push({ ...group, at });
  }
  return placed;
}

/** @param {number} left @param {number} middle @param {number} wide @returns {Frame} */
function box(left, middle, wide) {
  return { left, right: left + wide, top: middle - LINE / 2 + 1, bottom: middle + LINE / 2 - 1 };
}

/** @param {Frame} one @param {Frame} other */
function meet(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
