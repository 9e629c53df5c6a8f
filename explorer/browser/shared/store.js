/**
 * One observable state; what changed is told once per animation frame, to those who asked.
 * @template {Record<string, any>} State
 */
export class Store {
  /** @param {State} initial */
  constructor(initial) {
    this.state = initial;
    /** @type {{keys: Set<string>, react(state: State): void}[]} */
    this.listeners = [];
    /** @type {Set<string>} */
    this.changed = new Set();
    this.frame = 0;
  }

  /** @param {Partial<State>} patch */
  set(patch) {
    for (const key of /** @type {(keyof State & string)[]} */ (Object.keys(patch))) {
      const value = /** @type {State[typeof key]} */ (patch[key]);
      if (this.state[key] === value) continue;
      this.state[key] = value;
      this.changed.add(key);
    }
    if (this.changed.size && !this.frame) {
      this.frame = requestAnimationFrame(() => this.flush());
    }
  }

  /**
   * Call `react` in the first frame after any of `keys` changed.
   * @param {(keyof State & string)[]} keys
   * @param {(state: State) => void} react
   */
  on(keys, react) {
    this.listeners.push({ keys: new Set(keys), react });
  }

  /** Tell now what would be told in the next frame. */
  flush() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const changed = this.changed;
    this.changed = new Set();
    for (const { keys, react } of this.listeners) {
      for (const key of keys) {
        if (changed.has(key)) {
          react(this.state);
          break;
        }
      }
    }
  }

  /** Run every reaction, as on the first paint. */
  start() {
    this.changed = new Set();
    for (const { react } of this.listeners) react(this.state);
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.listeners = [];
  }
}
