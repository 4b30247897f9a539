import type { KubeObject } from '@orrery/apimachinery';
import { newExpired } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import type { WatchEvent } from '@orrery/client';
import type { Random } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import type { Interceptor, Write } from './intercepting-client.js';

/** How a cache is behind: it sees nothing of what is new; all of it late; or not every step, but for a relist. */
export type Staleness = 'frozen' | 'lagging' | 'skipping';

const LAG_MS = 120;
const clock = new SystemClock();

/** Lets a process see the world as staleness wants. */
export class Stale implements Interceptor {
  #armed = false;
  #thawed: Promise<void> | undefined;
  #thaw: () => void = () => undefined;

  constructor(
    private readonly staleness: Staleness,
    private readonly random: Random,
  ) {}

  /** From the next write on no event comes through: the process sees nothing of what it does. */
  arm(): void {
    this.#armed = true;
  }

  get isFrozen(): boolean {
    return this.#thawed !== undefined;
  }

  /** Lets all through that was held back, and what comes. */
  thaw(): void {
    this.#armed = false;
    this.#thawed = undefined;
    this.#thaw();
  }

  write<T>(_write: Write, send: () => Promise<T>): Promise<T> {
    if (this.#armed) {
      this.#armed = false;
      this.#thawed = new Promise((resolve) => {
        this.#thaw = resolve;
      });
    }
    return send();
  }

  async *watch<T extends KubeObject>(
    _ref: ResourceRef<T>,
    events: AsyncIterable<WatchEvent<T>>,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    let listed = false;
    for await (const event of events) {
      if (listed) await this.#hold(event, signal);
      // The first list is what it is: a process that has none does nothing.
      if (event.type === 'BOOKMARK' && event.initialEventsEnd) listed = true;
      yield event;
    }
  }

  async #hold(event: WatchEvent<KubeObject>, signal: AbortSignal): Promise<void> {
    if (this.staleness === 'frozen') await Promise.race([this.#thawed, aborted(signal)]);
    else if (this.staleness === 'lagging')
      await clock.sleep(this.random.next() * LAG_MS, signal).catch(() => undefined);
    // What happened is gone from the history: the reflector has to list, and misses what was in between.
    else if (event.type === 'MODIFIED' && this.random.next() < 0.3) {
      await clock.sleep(this.random.next() * LAG_MS, signal).catch(() => undefined);
      throw newExpired('the watch has been cut');
    }
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
