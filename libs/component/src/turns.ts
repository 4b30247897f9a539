/** Longest time that long work keeps the event loop to itself: one piece of it, and in one turn all that wait for theirs. */
const SLICE_MS = 10;

/** Those that gave way: `late` may go on in the turn after this one, `ready` in this one. */
class Waiting {
  private ready: (() => void)[] = [];
  private late: (() => void)[] = [];
  private isDue = false;
  private since = 0;

  add(goOn: () => void): void {
    this.late.push(goOn);
    this.schedule();
  }

  private schedule(): void {
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(() => {
      this.isDue = false;
      this.since = performance.now();
      this.resume();
    });
  }

  /** One goes on, and, when it has given way again or has ended, the next, until this turn has had its share. */
  private resume(): void {
    const goOn = performance.now() - this.since > SLICE_MS ? undefined : this.ready.shift();
    if (goOn) {
      goOn();
      // Behind all that follows from it at once: microtasks come before the next tick that one of them asks for.
      queueMicrotask(() => {
        process.nextTick(() => {
          this.resume();
        });
      });
      return;
    }
    // What gave way in this turn, in order behind what has waited longer.
    for (const each of this.late) this.ready.push(each);
    this.late = [];
    if (this.ready.length > 0) this.schedule();
  }
}

const waiting = new Waiting();

/**
 * At least one whole turn of the event loop; more where many give way at once, which then go on in their order. The first
 * immediate of what has just been read from a socket runs in the same turn, before anybody else's socket or timer.
 */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => {
    waiting.add(resolve);
  });
}

/** Long work that asks between its parts whether it is somebody else's turn; short work never waits. */
export class Turns {
  private since = performance.now();

  /** True when {@link next} is to be awaited before going on. */
  get isOver(): boolean {
    return performance.now() - this.since > SLICE_MS;
  }

  /** Lets all others have their turn. */
  async next(): Promise<void> {
    await giveWay();
    this.since = performance.now();
  }
}

/** Runs work that may be interrupted wherever it yields, in turns with everybody else's. */
export async function inTurns<T>(steps: Iterator<unknown, T>): Promise<T> {
  const turns = new Turns();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (turns.isOver) await turns.next();
  }
}
