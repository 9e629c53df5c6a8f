/**
 * Work that is done a few milliseconds at a time, so that the pointer never waits. Each piece has a
 * channel, and a new piece takes the place of the one before.
 */
export class Slices {
  constructor() {
    /** @type {Map<string, ReturnType<typeof setTimeout>>} */
    this.timers = new Map();
  }

  /**
   * @param {string} channel
   * @param {() => boolean} step does a little and tells whether there is more
   * @param {{budget?: number, pause?: number, delay?: number}} [pace] milliseconds of a slice,
   * between two of them, and before the first, which begins at once where none is given
   */
  start(channel, step, { budget = 5, pause = 12, delay = 0 } = {}) {
    this.stop(channel);
    const work = () => {
      const until = performance.now() + budget;
      let more = true;
      while (more && performance.now() < until) more = step();
      if (more) this.timers.set(channel, setTimeout(work, pause));
      else this.timers.delete(channel);
    };
    if (delay) this.timers.set(channel, setTimeout(work, delay));
    else work();
  }

  /**
   * Hand out pictures of many points, one after the other.
   * @param {string} channel
   * @param {Float32Array[]} points
   * @param {(point: Float32Array) => Float32Array} picture
   * @param {(index: number, picture: Float32Array) => void} each
   */
  startPictures(channel, points, picture, each) {
    let next = 0;
    this.start(channel, () => {
      if (next < points.length) each(next, picture(points[next]));
      next += 1;
      return next < points.length;
    });
  }

  /** @param {string} channel */
  stop(channel) {
    clearTimeout(this.timers.get(channel));
    this.timers.delete(channel);
  }

  stopAll() {
    for (const channel of [...this.timers.keys()]) this.stop(channel);
  }
}
