import type { Clock } from '@orrery/component';
import { dealHand } from './deal-hand.js';

/** What a level may do at once, and what happens to more than that. */
export interface LevelLimits {
  /** Undefined = exempt. */
  readonly seats: number | undefined;
  readonly queues: number;
  readonly handSize: number;
  readonly queueLength: number;
}

/** Why a request is turned away, by upstream's names. */
export type Refusal = 'concurrency-limit' | 'queue-full' | 'time-out' | 'cancelled';

export type Outcome = { readonly release: () => void } | { readonly refused: Refusal };

interface Waiting {
  readonly start: () => void;
}

interface Queue {
  readonly waiting: Waiting[];
  /** Work that this queue has had, in virtual milliseconds. */
  virtualStart: number;
}

export interface Patience {
  readonly clock: Clock;
  readonly maxWaitMs: number;
  readonly signal: AbortSignal;
}

/** A request counts as this long until it has ended. */
const ESTIMATE_MS = 3;
const NOTHING = (): void => undefined;

/** Seats of one level, and the requests that wait for one: fair between the queues by the time each has used. */
export class PriorityLevel {
  executing = 0;
  waiting = 0;
  private queues: Queue[] = [];
  private virtualTime = 0;

  constructor(private limits: LevelLimits) {}

  get seats(): number | undefined {
    return this.limits.seats;
  }

  configure(limits: LevelLimits): void {
    this.limits = limits;
    this.dispatch();
  }

  /** A seat if one is free and nobody waits for it: the way of nearly all requests. */
  enter(): (() => void) | undefined {
    const { seats } = this.limits;
    if (seats !== undefined && (this.executing >= seats || this.waiting > 0)) return undefined;
    this.executing += 1;
    return () => {
      this.executing -= 1;
      if (this.waiting > 0) this.dispatch();
    };
  }

  /** Waits for a seat in one of the flow's queues. */
  wait(flow: string, { clock, maxWaitMs, signal }: Patience): Promise<Outcome> {
    const { queues, queueLength } = this.limits;
    if (queues === 0) return Promise.resolve({ refused: 'concurrency-limit' });
    const queue = this.shortest(flow);
    if (queue.waiting.length >= queueLength) return Promise.resolve({ refused: 'queue-full' });
    if (queue.waiting.length === 0)
      queue.virtualStart = Math.max(queue.virtualStart, this.virtualTime);
    return new Promise((resolve) => {
      let cancel = NOTHING;
      const giveUp = (refused: Refusal) => (): void => {
        const at = queue.waiting.indexOf(entry);
        if (at < 0) return;
        queue.waiting.splice(at, 1);
        this.waiting -= 1;
        settle();
        resolve({ refused });
      };
      const gone = giveUp('cancelled');
      const settle = (): void => {
        cancel();
        signal.removeEventListener('abort', gone);
      };
      const entry: Waiting = {
        start: () => {
          settle();
          resolve({ release: this.begin(queue, clock) });
        },
      };
      queue.waiting.push(entry);
      this.waiting += 1;
      cancel = clock.after(maxWaitMs, giveUp('time-out'), { unref: true });
      signal.addEventListener('abort', gone, { once: true });
      if (signal.aborted) gone();
      else this.dispatch();
    });
  }

  private begin(queue: Queue, clock: Clock): () => void {
    const startedAt = clock.monotonic();
    return () => {
      queue.virtualStart += clock.monotonic() - startedAt - ESTIMATE_MS;
      this.executing -= 1;
      this.dispatch();
    };
  }

  private shortest(flow: string): Queue {
    const { queues, handSize } = this.limits;
    const hand = dealHand(flow, queues, handSize).map(
      (card) => (this.queues[card] ??= { waiting: [], virtualStart: 0 }),
    );
    return hand.reduce((best, one) => (one.waiting.length < best.waiting.length ? one : best));
  }

  /** Gives free seats to those queues that have used the least (start-time fair queuing). */
  private dispatch(): void {
    const { seats = Infinity } = this.limits;
    while (this.waiting > 0 && this.executing < seats) {
      let next: Queue | undefined;
      for (const queue of this.queues) {
        if (!queue || queue.waiting.length === 0) continue;
        if (!next || queue.virtualStart < next.virtualStart) next = queue;
      }
      const first = next?.waiting.shift();
      if (!next || !first) return;
      this.virtualTime = Math.max(this.virtualTime, next.virtualStart);
      next.virtualStart += ESTIMATE_MS;
      this.waiting -= 1;
      this.executing += 1;
      first.start();
    }
  }
}
