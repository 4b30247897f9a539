/**
 * What is asked for again and again is made ahead: from the second time on that a shape is asked for, one more of it is
 * being started, so that the next is there at once. Those that nobody took end with `stop`.
 */
export class Spares<T> {
  private readonly asked = new Map<string, number>();
  private readonly spare = new Map<string, Promise<T>>();
  private isStopped = false;

  constructor(private readonly discard: (spare: T) => Promise<void>) {}

  /** One of this shape: the spare, or when there is none, or it could not be made, what `make` makes now. */
  async take(shape: string, make: () => Promise<T>): Promise<T> {
    const times = (this.asked.get(shape) ?? 0) + 1;
    this.asked.set(shape, times);
    const spare = this.spare.get(shape);
    this.spare.delete(shape);
    const taken = (await spare?.catch(() => undefined)) ?? (await make());
    if (times > 1 && !this.isStopped && !this.spare.has(shape)) this.prepare(shape, make);
    return taken;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    const spares = [...this.spare.values()];
    this.spare.clear();
    await Promise.all(spares.map((spare) => spare.then(this.discard, () => undefined)));
  }

  private prepare(shape: string, make: () => Promise<T>): void {
    const spare = make();
    // Its failure is met by who takes it.
    spare.catch(() => undefined);
    this.spare.set(shape, spare);
  }
}
