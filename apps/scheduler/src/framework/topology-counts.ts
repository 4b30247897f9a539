/** Numbers by topology key and value. */
export class TopologyCounts {
  readonly #keys = new Map<string, Map<string, number>>();

  add(key: string, value: string | undefined, amount: number): void {
    if (value === undefined) return;
    const values = this.#keys.get(key) ?? new Map<string, number>();
    const sum = (values.get(value) ?? 0) + amount;
    if (sum === 0) values.delete(value);
    else values.set(value, sum);
    if (values.size === 0) this.#keys.delete(key);
    else this.#keys.set(key, values);
  }

  get(key: string, value: string | undefined): number {
    return value === undefined ? 0 : (this.#keys.get(key)?.get(value) ?? 0);
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  keys(): Iterable<string> {
    return this.#keys.keys();
  }

  clone(): TopologyCounts {
    const copy = new TopologyCounts();
    for (const [key, values] of this.#keys) copy.#keys.set(key, new Map(values));
    return copy;
  }
}
