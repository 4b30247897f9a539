import { setImmediate } from 'node:timers/promises';

/**
 * One whole turn of the event loop. The first immediate of what has just been read from a socket runs in the same turn,
 * before anybody else's socket or timer.
 */
export async function giveWay(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** Longest time that one piece of long work keeps the event loop to itself. */
const SLICE_MS = 10;

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
