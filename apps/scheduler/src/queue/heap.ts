/** A binary heap whose elements can be found and removed by key. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #places = new Map<string, number>();

  constructor(
    private readonly keyOf: (item: T) => string,
    private readonly less: (a: T, b: T) => boolean,
  ) {}

  get size(): number {
    return this.#items.length;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  get(key: string): T | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#items[place];
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  values(): readonly T[] {
    return [...this.#items];
  }

  /** Adds, or replaces what has the same key. */
  push(item: T): void {
    const key = this.keyOf(item);
    const place = this.#places.get(key);
    if (place !== undefined) {
      this.#put(place, item);
      this.#settle(place);
      return;
    }
    this.#items.push(item);
    this.#places.set(key, this.#items.length - 1);
    this.#up(this.#items.length - 1);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(this.keyOf(first));
    return first;
  }

  remove(key: string): T | undefined {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const item = this.#items[place];
    const last = this.#items.pop();
    this.#places.delete(key);
    if (last !== undefined && place < this.#items.length) {
      this.#put(place, last);
      this.#settle(place);
    }
    return item;
  }

  #put(place: number, item: T): void {
    this.#items[place] = item;
    this.#places.set(this.keyOf(item), place);
  }

  #settle(place: number): void {
    this.#up(place);
    this.#down(place);
  }

  #isLess(a: number, b: number): boolean {
    const [x, y] = [this.#items[a], this.#items[b]];
    return x !== undefined && y !== undefined && this.less(x, y);
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#items[a], this.#items[b]];
    if (x === undefined || y === undefined) return;
    this.#put(a, y);
    this.#put(b, x);
  }

  #up(start: number): void {
    for (let place = start; place > 0;) {
      const parent = (place - 1) >> 1;
      if (!this.#isLess(place, parent)) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  #down(start: number): void {
    for (let place = start; ;) {
      const left = place * 2 + 1;
      const child = this.#isLess(left + 1, left) ? left + 1 : left;
      if (child >= this.#items.length || !this.#isLess(child, place)) return;
      this.#swap(place, child);
      place = child;
    }
  }
}
