/** A clear canvas at the screen's own resolution. @param {HTMLCanvasElement} canvas */
export function clearCanvas(canvas) {
  // A presented page is drawn larger: `currentCSSZoom` is not yet in every browser nor its types.
  const { currentCSSZoom = 1 } = /** @type {{currentCSSZoom?: number}} */ (canvas);
  const ratio = (window.devicePixelRatio || 1) * currentCSSZoom;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  return context;
}
