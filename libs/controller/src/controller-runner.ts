import type { KubeObject, ObjectKey, Reaction } from '@orrery/apimachinery';
import { isConflict, isFenced, parseKeyString, toKeyString } from '@orrery/apimachinery';
import { reactingTo, revisionOf } from '@orrery/client';
import type { Clock, Logger } from '@orrery/component';
import type { InformerFactory } from '@orrery/informers';
import type { ControllerDefinition, WatchDefinition } from './definition.js';
import { LeadershipLost } from './election/leader-elector.js';
import type { QueueMeters } from './queue/queue-metrics.js';
import { QueueMetrics } from './queue/queue-metrics.js';
import { WorkQueue } from './queue/work-queue.js';
import type { Result } from './reconciler.js';
import { TerminalError } from './reconciler.js';
import type { WriteFence } from './writes/write-fence.js';

export interface RunnerOptions {
  readonly informers: InformerFactory;
  readonly fence: WriteFence;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meters?: QueueMeters;
}

/** How one key of the queue is handled; rejects to be retried. */
export type Handle = (key: ObjectKey, signal: AbortSignal) => Promise<Result | undefined>;

/** How soon a key is looked at again whose own writes are not in the cache yet. */
const FENCE_RECHECK_MS = 15;
/** Events of a key that are remembered until it is looked at. */
const MOST_EVENTS = 16;
/** After a refused write: the end of the term must get its turn before the key is tried again. */
const LEADERSHIP_RECHECK_MS = 100;

/** The one loop of every controller: events to keys, keys to the reconciler, failures back with growing waits. */
export class ControllerRunner {
  readonly #queue: WorkQueue;
  /** Of keys that wait: the newest events that put them there. */
  readonly #events = new Map<string, number[]>();
  /** Of keys that were asked to be looked at again: why, and the newest event then. */
  readonly #again = new Map<string, { readonly revision: number; readonly reason: string }>();

  /** Keys that wait for the caches to show what was written. */
  readonly #stale = new Set<string>();

  constructor(
    readonly definition: ControllerDefinition,
    private readonly handle: Handle,
    private readonly options: RunnerOptions,
  ) {
    const { clock, meters } = options;
    const metrics = meters && new QueueMetrics(definition.queue ?? definition.name, clock, meters);
    this.#queue = new WorkQueue(clock, metrics);
    for (const watch of definition.watches) this.#watch(watch);
    for (const key of definition.initial ?? []) this.#queue.add(toKeyString(key));
    definition.source?.((key, revision) => {
      this.#add(toKeyString(key), revision);
    });
  }

  /** Reconciles until the signal aborts; call again for a next term. Keys go on being collected in between. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#waitForSync(signal);
    const workers = Array.from({ length: this.definition.concurrency }, () => this.#work(signal));
    await Promise.all(workers);
  }

  close(): void {
    this.#queue.close();
  }

  /** Keys that wait, are in work, or fall due within `soonMs`. */
  busy(soonMs: number): number {
    return this.#queue.busy(soonMs);
  }

  async #waitForSync(signal: AbortSignal): Promise<void> {
    const { informers } = this.options;
    const synced = this.definition.watches.map(({ ref, scope, mayBeAbsent }) => {
      const informer = informers.informer(ref, scope);
      return mayBeAbsent ? informer.waitForSyncOrAbsence(signal) : informer.waitForSync(signal);
    });
    await Promise.all(synced).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  #watch<T extends KubeObject>({ ref, scope, map, changed }: WatchDefinition<T>): void {
    const add = (object: T): void => {
      for (const key of map(object)) this.#add(toKeyString(key), revisionOf(object));
    };
    this.options.informers.informer(ref, scope).addHandler({
      onAdd: add,
      onUpdate: (object, old) => {
        if (changed && !changed(object, old)) return;
        const keys = map(object).map(toKeyString);
        // The old object too: its owner or its labels may have pointed elsewhere.
        for (const key of map(old).map(toKeyString))
          if (!keys.includes(key)) this.#add(key, revisionOf(old));
        for (const key of keys) this.#add(key, revisionOf(object));
      },
      onDelete: add,
    });
  }

  #add(key: string, revision: number | undefined): void {
    this.#noteEvent(key, revision);
    this.#queue.add(key);
  }

  #noteEvent(key: string, revision = 0): void {
    if (revision === 0) return;
    const known = this.#events.get(key);
    if (!known) this.#events.set(key, [revision]);
    else if (known.push(revision) > MOST_EVENTS) known.shift();
  }

  /** The newest event that somebody else caused; the echo of an own write counts only where there is nothing else. */
  #takeEvent(key: string): number | undefined {
    const { fence } = this.options;
    const scope = this.#scopeOf(key);
    const events = this.#events.get(key) ?? [];
    this.#events.delete(key);
    const others = events.filter((revision) => !fence.isOwn(scope, revision));
    if (events.length === 0) return undefined;
    fence.forget(scope, Math.max(...events));
    return Math.max(...(others.length > 0 ? others : events));
  }

  #scopeOf(key: string): string {
    return `${this.definition.name}|${key}`;
  }

  /** What is done at the next look is still because of that event, unless a newer one comes. */
  #noteAgain(key: string, { revision = 0 }: Reaction, reason: string): void {
    this.#noteEvent(key, revision);
    this.#again.set(key, { revision, reason });
  }

  /** Why the key is looked at now. */
  #takeReaction(key: string): Reaction {
    const revision = this.#takeEvent(key);
    const again = this.#again.get(key);
    this.#again.delete(key);
    const isNew = revision !== undefined && revision > (again?.revision ?? 0);
    return {
      controller: this.definition.name,
      ...(revision ? { revision } : {}),
      ...(again && !isNew ? { reason: again.reason } : {}),
    };
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const key = await this.#queue.get(signal);
      if (key === undefined) return;
      try {
        await this.#process(key, signal);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  /** Told once for each time that a key has to wait. */
  #tellStale(key: string, scope: string): void {
    if (this.#stale.has(key)) return;
    this.#stale.add(key);
    const kind = this.options.fence.waitsFor(scope);
    if (kind) this.definition.onStale?.(kind);
  }

  async #process(key: string, signal: AbortSignal): Promise<void> {
    const { fence, logger } = this.options;
    const scope = this.#scopeOf(key);
    if (!fence.isOpen(scope)) {
      this.#tellStale(key, scope);
      this.#queue.addAfter(key, FENCE_RECHECK_MS);
      return;
    }
    this.#stale.delete(key);
    const reaction = this.#takeReaction(key);
    const handle = (): Promise<Result | undefined> => this.handle(parseKeyString(key), signal);
    try {
      const result = await fence.run(scope, () => reactingTo(reaction, handle));
      this.#queue.forget(key);
      if (result?.requeueAfterMs === undefined) return;
      this.#noteAgain(key, reaction, 'the time it waited for has come');
      this.#queue.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      this.#noteAgain(key, reaction, 'tried again');
      if (signal.aborted) this.#queue.add(key);
      else if (error instanceof LeadershipLost || isFenced(error))
        this.#queue.addAfter(key, LEADERSHIP_RECHECK_MS);
      else if (error instanceof TerminalError) {
        this.#queue.forget(key);
        logger.error('reconcile failed for good', error, { key });
      } else {
        const expected = isConflict(error) && this.#queue.failures(key) < 5;
        if (expected) logger.debug('reconcile met a conflict', { key });
        else logger.warn('reconcile failed', { key, error: String(error) });
        this.#queue.addRateLimited(key);
      }
    }
  }
}
