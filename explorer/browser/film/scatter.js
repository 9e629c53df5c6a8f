import { lieApart, stepAside } from "../shared/marks.js";
import { CLASS_COLOURS } from "../shared/theme.js";

/**
 * The map of a film: codes by class on the prior's rings, classes named where their middle is.
 * @typedef {object} Scene
 * @property {Float32Array} codes x and y in turn
 * @property {number} reach half of what is shown, in standard deviations of the prior
 * @property {ArrayLike<number> | null} labels
 * @property {string[]} names of classes; none are written where there are none
 * @property {boolean} rings
 * @property {string[]} axes their names
 */

const RINGS = [1, 2, 3];
/** Pixels: the height of a name; classes with no more between their middles are one heap. */
const PILE = 14;

/**
 * @param {CanvasRenderingContext2D} context a clear one
 * @param {number} width
 * @param {number} height
 * @param {Scene} scene
 * @param {CSSStyleDeclaration} style has the roles' colours
 */
export function drawScatter(context, width, height, { codes, reach, labels, names, rings, axes }, style) {
  const scale = Math.min(width, height) / 2 / reach;
  const [x0, y0] = [width / 2, height / 2];
  context.lineWidth = 1;
  context.strokeStyle = style.getPropertyValue("--role-grid");
  context.beginPath();
  context.moveTo(0, y0);
  context.lineTo(width, y0);
  context.moveTo(x0, 0);
  context.lineTo(x0, height);
  context.stroke();
  if (rings) {
    context.strokeStyle = style.getPropertyValue("--role-prior");
    context.setLineDash([4, 4]);
    for (const radius of RINGS) {
      context.beginPath();
      context.arc(x0, y0, radius * scale, 0, 2 * Math.PI);
      context.stroke();
    }
    context.setLineDash([]);
  }
  const middles = drawPoints(context, { codes, labels, scale, x0, y0, size: codes.length > 800 ? 2.4 : 3.2 });
  context.font = "600 14px sans-serif";
  context.textAlign = "center";
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = style.getPropertyValue("--role-ground");
  context.fillStyle = style.getPropertyValue("--role-text");
  const places = [...middles].map(([label, [x, y, n]]) => {
    const name = names[label] ?? "";
    return { name, x: x0 + (x / n) * scale, y: y0 - (y / n) * scale + 5, width: context.measureText(name).width };
  });
  for (const { name, x, y } of lieApart(places, PILE) ? stepAside(places, PILE) : []) {
    context.strokeText(name, x, y);
    context.fillText(name, x, y);
  }
  context.lineWidth = 1;
  context.textAlign = "left";
  context.fillStyle = style.getPropertyValue("--role-caption");
  context.font = "italic 12px sans-serif";
  context.fillText(axes[0] ?? "", width - 20, y0 - 6);
  context.fillText(axes[1] ?? "", x0 + 6, 14);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{codes: Float32Array, labels: ArrayLike<number> | null, scale: number, x0: number, y0: number, size: number, every?: number}} scene
 * @returns {Map<number, number[]>} by class: sums of x and y, and how many
 */
export function drawPoints(context, { codes, labels, scale, x0, y0, size, every = 1 }) {
  /** @type {Map<number, number[]>} */
  const middles = new Map();
  for (let index = 0; index < codes.length / 2; index += every) {
    const [x, y] = [codes[2 * index], codes[2 * index + 1]];
    const label = labels?.[index] ?? 0;
    const middle = middles.get(label);
    if (middle) {
      middle[0] += x;
      middle[1] += y;
      middle[2]++;
    } else middles.set(label, [x, y, 1]);
    context.fillStyle = CLASS_COLOURS[label % CLASS_COLOURS.length];
    context.beginPath();
    context.arc(x0 + x * scale, y0 - y * scale, size, 0, 2 * Math.PI);
    context.fill();
  }
  return middles;
}
