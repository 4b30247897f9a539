import { setImmediate } from 'node:timers/promises';
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import { Server } from '@nestjs/microservices';
import type { Clock, Logger } from '@orrery/component';
import type { InformerFactory } from '@orrery/informers';
import { MAY_BE_ABSENT } from './cycle/cluster-watch.js';
import type { SchedulingQueue } from './queue/scheduling-queue.js';
import type { QueuedPod } from './queue/queued-pod.js';

/** The message pattern of a pod that wants a node. */
export const SCHEDULE_POD = 'schedule-pod';

/** A handler decides before it returns; `written` is what follows. */
export interface ScheduleMessage {
  readonly pod: QueuedPod;
  readonly signal: AbortSignal;
  written: Promise<void>;
  /** Set when the decision itself has to wait for somebody; the next pod then waits too. */
  decided: Promise<void> | undefined;
}

export interface QueueTransportOptions {
  readonly queue: SchedulingQueue;
  readonly informers: InformerFactory;
  /** Runs `lead` while this process may act. */
  readonly whileLeading: (
    signal: AbortSignal,
    lead: (term: AbortSignal) => Promise<void>,
  ) => Promise<void>;
  /** Called every second while leading. */
  readonly everySecond: () => void;
  /** Decisions whose writes have not been answered. */
  readonly maxInFlight: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long decisions may follow one another before answers and news are read. */
const SLICE_MS = 10;

/**
 * A Nest microservice transport over the scheduling queue: each message is a pod. Informers run and the queue fills
 * from `listen` on (hot standby); pods are taken while leading.
 */
export class QueueTransport extends Server implements CustomTransportStrategy {
  readonly #stop = new AbortController();
  readonly #writing = new Set<Promise<void>>();
  /** Called when something of it is written. */
  #written: (() => void) | undefined;
  #running: Promise<unknown> | undefined;
  #handler: MessageHandler | undefined;

  constructor(private readonly options: QueueTransportOptions) {
    super();
  }

  /** Resolves when everything has stopped; rejects when a loop failed. */
  get stopped(): Promise<unknown> {
    return this.#running ?? Promise.resolve();
  }

  listen(callback: (error?: unknown) => void): void {
    if (!this.getHandlerByPattern(SCHEDULE_POD)) {
      callback(new TypeError(`nothing handles ${SCHEDULE_POD}`));
      return;
    }
    const { signal } = this.#stop;
    this.#running = Promise.all([
      this.options.informers.start(signal),
      this.options.whileLeading(signal, (term) => this.#lead(term)),
    ]);
    callback();
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the transport is closed'));
    await this.#running;
  }

  on(): void {
    throw new TypeError('the queue transport has no events');
  }

  unwrap<T>(): T {
    throw new TypeError('the queue transport has no server behind it');
  }

  async #lead(term: AbortSignal): Promise<void> {
    const { informers } = this.options;
    try {
      await informers.waitForSync(term, MAY_BE_ABSENT);
    } catch (error) {
      if (term.aborted) return;
      throw error;
    }
    await Promise.all([this.#tick(term), this.#takePods(term)]);
    await Promise.all(this.#writing);
  }

  async #tick(term: AbortSignal): Promise<void> {
    const { clock, everySecond } = this.options;
    while (!term.aborted) {
      everySecond();
      await clock.sleep(1000, term).catch(() => undefined);
    }
  }

  async #takePods(term: AbortSignal): Promise<void> {
    const { queue, clock, maxInFlight } = this.options;
    let sliceEnds = clock.monotonic() + SLICE_MS;
    while (!term.aborted) {
      // Not a race of all of them, which would ask each one anew for each pod.
      if (this.#writing.size >= maxInFlight)
        await new Promise<void>((resolve) => {
          this.#written = resolve;
        });
      const pod = await queue.pop(term);
      if (!pod) return;
      await this.#handle(pod, term);
      if (clock.monotonic() < sliceEnds) continue;
      await setImmediate();
      sliceEnds = clock.monotonic() + SLICE_MS;
    }
  }

  async #handle(pod: QueuedPod, signal: AbortSignal): Promise<void> {
    const message: ScheduleMessage = {
      pod,
      signal,
      written: Promise.resolve(),
      decided: undefined,
    };
    this.#handler ??= this.getHandlerByPattern(SCHEDULE_POD) ?? undefined;
    await this.#handler?.(message, undefined);
    await message.decided;
    const writing = message.written
      .catch((error: unknown) => {
        this.options.logger.error('a decision was not carried out', error, {
          pod: pod.info.name,
        });
      })
      .finally(() => {
        this.#writing.delete(writing);
        this.#written?.();
      });
    this.#writing.add(writing);
  }
}
