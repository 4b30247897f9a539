import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import { ItemBackoff } from './item-backoff.js';
import { WorkQueue } from './work-queue.js';

/** A clock whose time passes only by `pass`. */
class ManualClock extends SystemClock implements Clock {
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];

  override monotonic(): number {
    return this.#now;
  }

  override after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  pass(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { callback } of due) callback();
  }
}

describe('WorkQueue', () => {
  it('holds a key once however often it is added', () => {
    const queue = new WorkQueue(new ManualClock());
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect(queue.length).toBe(2);
  });

  it('gives a key again after done when it was added while processed, never at the same time', async () => {
    const queue = new WorkQueue(new ManualClock());
    queue.add('a');
    expect(await queue.get()).toBe('a');
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect(await queue.get()).toBe('a');
  });

  it('hands a key to who waits, and undefined when aborted or closed', async () => {
    const queue = new WorkQueue(new ManualClock());
    const stop = new AbortController();
    const [first, second, third] = [queue.get(), queue.get(stop.signal), queue.get()];
    queue.add('a');
    stop.abort();
    queue.close();
    expect(await Promise.all([first, second, third])).toEqual(['a', undefined, undefined]);
  });

  it('adds a key after its time, and the earlier of two times counts', () => {
    const clock = new ManualClock();
    const queue = new WorkQueue(clock);
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 500);
    clock.pass(49);
    expect(queue.length).toBe(0);
    clock.pass(1);
    expect(queue.length).toBe(1);
  });
});

describe('ItemBackoff', () => {
  it('doubles from 5 ms up to 1000 s and starts anew when forgotten', () => {
    const backoff = new ItemBackoff();
    const waits = Array.from({ length: 20 }, () => backoff.next('a'));
    expect([waits[0], waits[1], waits[2], waits.at(-1)]).toEqual([5, 10, 20, 1_000_000]);
    backoff.forget('a');
    expect(backoff.next('a')).toBe(5);
  });
});
