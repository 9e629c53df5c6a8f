/** Ten shapes, one per class, for those who cannot or will not go by colour. */

/** @type {Record<number, number[][]>} */
const CORNERS = {
  1: polygon(4, Math.PI / 4, 1.1),
  2: polygon(3, -Math.PI / 2, 1.3),
  3: polygon(4, 0, 1.25),
  4: polygon(3, Math.PI / 2, 1.3),
  5: star(5, 1.4, 0.6),
  6: cross(1.2, 0.42, 0),
  7: cross(1.2, 0.42, Math.PI / 4),
  8: polygon(6, 0, 1.15),
};

/**
 * Fill glyph `which` (0 to 9, then over again) of `radius` around (x, y) in the context's colour.
 * @param {CanvasRenderingContext2D} context
 * @param {number} which
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
export function drawGlyph(context, which, x, y, radius) {
  const shape = which % 10;
  context.beginPath();
  if (shape === 0 || shape === 9) {
    context.arc(x, y, shape === 9 ? radius * 0.85 : radius, 0, 2 * Math.PI);
    if (shape === 9) {
      context.lineWidth = radius * 0.6;
      context.stroke();
      return;
    }
  } else {
    CORNERS[shape].forEach(([dx, dy], i) => {
      context[i ? "lineTo" : "moveTo"](x + dx * radius, y + dy * radius);
    });
    context.closePath();
  }
  context.fill();
}

/**
 * @param {number} count
 * @param {number} turn
 * @param {number} size
 */
function polygon(count, turn, size) {
  return Array.from({ length: count }, (_, i) => {
    const angle = turn + (2 * Math.PI * i) / count;
    return [size * Math.cos(angle), size * Math.sin(angle)];
  });
}

/**
 * @param {number} count
 * @param {number} outer
 * @param {number} inner
 */
function star(count, outer, inner) {
  return Array.from({ length: 2 * count }, (_, i) => {
    const angle = -Math.PI / 2 + (Math.PI * i) / count;
    const size = i % 2 ? inner : outer;
    return [size * Math.cos(angle), size * Math.sin(angle)];
  });
}

/**
 * @param {number} arm
 * @param {number} half
 * @param {number} turn
 */
function cross(arm, half, turn) {
  const outline = [
    [-half, -arm], [half, -arm], [half, -half], [arm, -half], [arm, half], [half, half],
    [half, arm], [-half, arm], [-half, half], [-arm, half], [-arm, -half], [-half, -half],
  ];
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  return outline.map(([x, y]) => [c * x - s * y, s * x + c * y]);
}
