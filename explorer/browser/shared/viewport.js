/**
 * From the plane to the screen and back: (x, y) of the centre and pixels per unit.
 */
export class Viewport {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.scale = 60;
    this.width = 1;
    this.height = 1;
  }

  /** @param {number} x */
  toScreenX(x) {
    return this.width / 2 + (x - this.x) * this.scale;
  }

  /** @param {number} y */
  toScreenY(y) {
    return this.height / 2 - (y - this.y) * this.scale;
  }

  /**
   * @param {number} screenX
   * @param {number} screenY
   * @returns {[number, number]}
   */
  toPlane(screenX, screenY) {
    return [
      this.x + (screenX - this.width / 2) / this.scale,
      this.y - (screenY - this.height / 2) / this.scale,
    ];
  }

  /**
   * Zoom by `factor`, the plane's point under (screenX, screenY) staying where it is.
   * @param {number} screenX
   * @param {number} screenY
   * @param {number} factor
   */
  zoomAt(screenX, screenY, factor) {
    const [x, y] = this.toPlane(screenX, screenY);
    const scale = Math.min(1e5, Math.max(0.5, this.scale * factor));
    this.x = x - (screenX - this.width / 2) / scale;
    this.y = y + (screenY - this.height / 2) / scale;
    this.scale = scale;
  }

  /**
   * @param {number} screenX
   * @param {number} screenY
   */
  panBy(screenX, screenY) {
    this.x -= screenX / this.scale;
    this.y += screenY / this.scale;
  }

  /**
   * Show the box around (x, y) of half sides (halfWidth, halfHeight).
   * @param {number} x
   * @param {number} y
   * @param {number} halfWidth
   * @param {number} halfHeight
   */
  fit(x, y, halfWidth, halfHeight) {
    this.x = x;
    this.y = y;
    this.scale = Math.min(this.width / 2 / halfWidth, this.height / 2 / halfHeight);
  }

  copy() {
    return Object.assign(new Viewport(), this);
  }

  /** The edges of what is seen. */
  edges() {
    const [left, top] = this.toPlane(0, 0);
    const [right, bottom] = this.toPlane(this.width, this.height);
    return { left, right, top, bottom };
  }
}
