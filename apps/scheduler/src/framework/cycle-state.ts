import type { PluginRun } from './plugin-run.js';

/** Where a plugin keeps what it worked out for one pod; `clone` lets preemption try changes on a copy. */
export class StateKey<T> {
  constructor(
    readonly name: string,
    readonly clone: (value: T) => T = (value) => value,
  ) {}
}

/** The scratch pad of one scheduling cycle. */
export class CycleState {
  readonly #values = new Map<StateKey<unknown>, unknown>();
  /** Plugins whose PreFilter said Skip. */
  skipFilter: ReadonlySet<string> = new Set();
  /** Filters that are not local and have something to say; set by PreFilter. */
  filters: readonly PluginRun[] | undefined;
  /** The time that each plugin takes is told. */
  isTimed = false;
  /** Plugins whose PreScore said Skip. */
  skipScore: ReadonlySet<string> = new Set();

  set<T>(key: StateKey<T>, value: T): void {
    this.#values.set(key as StateKey<unknown>, value);
  }

  get<T>(key: StateKey<T>): T | undefined {
    return this.#values.get(key as StateKey<unknown>) as T | undefined;
  }

  clone(): CycleState {
    const copy = new CycleState();
    for (const [key, value] of this.#values) copy.#values.set(key, key.clone(value));
    copy.skipFilter = this.skipFilter;
    copy.filters = this.filters;
    copy.skipScore = this.skipScore;
    copy.isTimed = this.isTimed;
    return copy;
  }
}
