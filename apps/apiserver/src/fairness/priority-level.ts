import type { Clock } from '@orrery/component';
import { dealHand } from './deal-hand.js';
import { SeatDemand } from './seat-demand.js';

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

/** One request, as the level sees it. */
export interface Visitor<About = unknown> {
  readonly seats: number;
  /** Milliseconds since the Unix epoch. */
  readonly arrivedAt: number;
  startedAt?: number;
  readonly about: About;
}

export type Outcome = { readonly release: () => void } | { readonly refused: Refusal };

interface Waiting {
  readonly visitor: Visitor;
  readonly start: () => void;
}

/** One queue: who waits in it, and what it has had. */
export interface Queue {
  readonly waiting: readonly { readonly visitor: Visitor }[];
  readonly executing: ReadonlySet<Visitor>;
  /** Work that it has had, in virtual seat-milliseconds. */
  readonly virtualStart: number;
}

interface OwnQueue extends Queue {
  readonly waiting: Waiting[];
  readonly executing: Set<Visitor>;
  virtualStart: number;
}

export interface Patience {
  readonly maxWaitMs: number;
  readonly signal: AbortSignal;
}

/** A request counts as this long until it has ended. */
export const ESTIMATE_MS = 3;
const NOTHING = (): void => undefined;
const workOf = ({ seats }: Visitor): number => seats * ESTIMATE_MS;
const seatsIn = (visitors: Iterable<Visitor>): number => {
  let sum = 0;
  for (const { seats } of visitors) sum += seats;
  return sum;
};
export const queuedSeats = ({ waiting }: Queue): number =>
  seatsIn(waiting.map(({ visitor }) => visitor));

/** Seats of one level, and the requests that wait for some: fair between the queues by the time each has used. */
export class PriorityLevel {
  /** Seats that are taken. */
  taken = 0;
  waiting = 0;
  /** What became of requests, since the start. */
  readonly counts = { dispatched: 0, rejected: 0, timedOut: 0, cancelled: 0, held: 0 };
  readonly demand: SeatDemand;
  /** Requests that have seats without having waited for them. */
  readonly executing = new Set<Visitor>();
  private queues: OwnQueue[] = [];
  private virtualTime = 0;

  constructor(
    private limits: LevelLimits,
    private readonly clock: Clock,
  ) {
    this.demand = new SeatDemand(clock);
  }

  get seats(): number | undefined {
    return this.limits.seats;
  }

  get hasQueues(): boolean {
    return this.limits.queues > 0;
  }

  /** Those queues that have been used, by their numbers. */
  get usedQueues(): ReadonlyMap<number, Queue> {
    const used = new Map<number, Queue>();
    this.queues.forEach((queue, i) => used.set(i, queue));
    return used;
  }

  get isIdle(): boolean {
    return this.taken === 0 && this.waiting === 0;
  }

  configure(limits: LevelLimits): void {
    this.limits = limits;
    this.dispatch();
  }

  /** The seats if they are free and nobody waits for any: the way of nearly all requests. */
  enter(visitor: Visitor): (() => void) | undefined {
    if (this.waiting > 0 && this.limits.seats !== undefined) return undefined;
    if (!this.hasRoom(visitor)) return undefined;
    this.demand.add(visitor.seats);
    this.seat(visitor, this.executing);
    return () => {
      this.leave(visitor, this.executing);
    };
  }

  /** Waits for seats in one of the flow's queues. */
  wait(flow: string, visitor: Visitor, { maxWaitMs, signal }: Patience): Promise<Outcome> {
    const { queues, queueLength } = this.limits;
    if (queues === 0) return Promise.resolve(this.refuse('concurrency-limit'));
    const queue = this.shortest(flow);
    if (queue.waiting.length >= queueLength) return Promise.resolve(this.refuse('queue-full'));
    if (queue.waiting.length === 0 && queue.executing.size === 0)
      queue.virtualStart = Math.max(queue.virtualStart, this.virtualTime);
    return new Promise((resolve) => {
      let cancel = NOTHING;
      const giveUp = (refused: Refusal) => (): void => {
        const at = queue.waiting.indexOf(entry);
        if (at < 0) return;
        queue.waiting.splice(at, 1);
        this.waiting -= 1;
        this.demand.add(-visitor.seats);
        settle();
        resolve(this.refuse(refused));
        // Who was first in its queue may have kept narrower ones from their seats.
        this.dispatch();
      };
      const gone = giveUp('cancelled');
      const settle = (): void => {
        cancel();
        signal.removeEventListener('abort', gone);
      };
      const entry: Waiting = {
        visitor,
        start: () => {
          settle();
          resolve({ release: this.begin(queue, visitor) });
        },
      };
      queue.waiting.push(entry);
      this.waiting += 1;
      this.demand.add(visitor.seats);
      cancel = this.clock.after(maxWaitMs, giveUp('time-out'), { unref: true });
      signal.addEventListener('abort', gone, { once: true });
      if (signal.aborted) gone();
      else this.dispatch();
    });
  }

  private refuse(refused: Refusal): Outcome {
    if (refused === 'time-out') this.counts.timedOut += 1;
    else if (refused === 'cancelled') this.counts.cancelled += 1;
    else this.counts.rejected += 1;
    return { refused };
  }

  /** A request that is wider than the whole level has it alone. */
  private hasRoom({ seats: wanted }: Visitor): boolean {
    const { seats = Infinity } = this.limits;
    if (seats === 0) return false;
    return this.taken + wanted <= seats || (wanted > seats && this.taken === 0);
  }

  private seat(visitor: Visitor, among: Set<Visitor>): void {
    visitor.startedAt = this.clock.now();
    this.counts.dispatched += 1;
    this.taken += visitor.seats;
    among.add(visitor);
  }

  private leave(visitor: Visitor, among: Set<Visitor>): void {
    among.delete(visitor);
    this.taken -= visitor.seats;
    this.demand.add(-visitor.seats);
    if (this.waiting > 0) this.dispatch();
  }

  private begin(queue: OwnQueue, visitor: Visitor): () => void {
    const startedAt = this.clock.monotonic();
    return () => {
      const took = this.clock.monotonic() - startedAt;
      queue.virtualStart += took * visitor.seats - workOf(visitor);
      this.leave(visitor, queue.executing);
    };
  }

  /** The queue of the flow's hand with the least work in it. */
  private shortest(flow: string): OwnQueue {
    const { queues, handSize } = this.limits;
    const hand = dealHand(flow, queues, handSize).map(
      (card) => (this.queues[card] ??= { waiting: [], executing: new Set(), virtualStart: 0 }),
    );
    return hand.reduce((best, one) => (queuedSeats(one) < queuedSeats(best) ? one : best));
  }

  /** Gives free seats to those queues whose first request would be through first (start-time fair queuing). */
  private dispatch(): void {
    while (this.waiting > 0) {
      let next: OwnQueue | undefined;
      let nextEnd = Infinity;
      for (const queue of this.queues) {
        const first = queue?.waiting[0];
        if (!first) continue;
        const end = queue.virtualStart + workOf(first.visitor);
        if (end < nextEnd) [next, nextEnd] = [queue, end];
      }
      const first = next?.waiting[0];
      if (!next || !first) return;
      if (!this.hasRoom(first.visitor)) {
        this.counts.held += 1;
        return;
      }
      next.waiting.shift();
      this.virtualTime = Math.max(this.virtualTime, next.virtualStart);
      next.virtualStart += workOf(first.visitor);
      this.waiting -= 1;
      this.seat(first.visitor, next.executing);
      first.start();
    }
  }
}
