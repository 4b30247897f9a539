interface Entry {
  readonly time: number;
  readonly order: number;
  readonly run: (time: number) => void;
}

/** Simulated time: runs what is planned in the order of its time, in the order of planning where times are equal. */
export class EventQueue {
  private readonly heap: Entry[] = [];
  private planned = 0;
  private current = 0;

  get now(): number {
    return this.current;
  }

  at(time: number, run: (time: number) => void): void {
    const entry = { time: Math.max(time, this.current), order: this.planned++, run };
    let child = this.heap.push(entry) - 1;
    while (child > 0) {
      const parent = (child - 1) >>> 1;
      if (!this.isBefore(child, parent)) break;
      this.swap(child, parent);
      child = parent;
    }
  }

  /** Runs everything, also what is planned meanwhile. */
  run(): void {
    for (let entry = this.take(); entry; entry = this.take()) {
      this.current = entry.time;
      entry.run(entry.time);
    }
  }

  private take(): Entry | undefined {
    const first = this.heap[0];
    const last = this.heap.pop();
    if (!first || !last || this.heap.length === 0) return first;
    this.heap[0] = last;
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      let least = parent;
      if (this.isBefore(left, least)) least = left;
      if (this.isBefore(left + 1, least)) least = left + 1;
      if (least === parent) return first;
      this.swap(parent, least);
      parent = least;
    }
  }

  private isBefore(i: number, j: number): boolean {
    const [a, b] = [this.heap[i], this.heap[j]];
    if (!a || !b) return false;
    return a.time === b.time ? a.order < b.order : a.time < b.time;
  }

  private swap(i: number, j: number): void {
    const [a, b] = [this.heap[i], this.heap[j]];
    if (a) this.heap[j] = a;
    if (b) this.heap[i] = b;
  }
}
