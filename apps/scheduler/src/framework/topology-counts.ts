interface Base {
  readonly key: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly factor: number;
}

/** Numbers by topology key and value: sums of counts that others keep, and what this cycle adds to them. */
export class TopologyCounts {
  readonly #bases: Base[] = [];
  readonly #changes = new Map<string, Map<string, number>>();

  /** Counts `counts` of the topology in, without a copy: for as long as nobody changes them. */
  include(key: string, counts: ReadonlyMap<string, number>, factor = 1): void {
    if (counts.size > 0 && factor !== 0) this.#bases.push({ key, counts, factor });
  }

  add(key: string, value: string | undefined, amount: number): void {
    if (value === undefined) return;
    let values = this.#changes.get(key);
    if (!values) {
      values = new Map();
      this.#changes.set(key, values);
    }
    values.set(value, (values.get(value) ?? 0) + amount);
  }

  get(key: string, value: string | undefined): number {
    if (value === undefined) return 0;
    let sum = this.#changes.get(key)?.get(value) ?? 0;
    for (const base of this.#bases)
      if (base.key === key) sum += (base.counts.get(value) ?? 0) * base.factor;
    return sum;
  }

  /** True when every number is 0. */
  get isEmpty(): boolean {
    if (this.#bases.length === 0 && this.#changes.size === 0) return true;
    for (const { key, counts } of this.#bases)
      for (const value of counts.keys()) if (this.get(key, value) !== 0) return false;
    for (const [key, values] of this.#changes)
      for (const value of values.keys()) if (this.get(key, value) !== 0) return false;
    return true;
  }

  keys(): Iterable<string> {
    const keys = new Set(this.#changes.keys());
    for (const { key } of this.#bases) keys.add(key);
    return keys;
  }

  clone(): TopologyCounts {
    const copy = new TopologyCounts();
    copy.#bases.push(...this.#bases);
    for (const [key, values] of this.#changes) copy.#changes.set(key, new Map(values));
    return copy;
  }
}
