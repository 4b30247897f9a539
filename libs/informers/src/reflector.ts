import type { KubeObject } from '@orrery/apimachinery';
import { StatusError, isExpired, isNotFound } from '@orrery/apimachinery';
import { isConnectionError } from '@orrery/client';
import type { ResourceClient, WatchEvent, WatchQuery } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import type { InformerScope } from './shared-informer.js';

/** Where a reflector writes what it learns. */
export interface ReflectorSink<T extends KubeObject> {
  /** The whole collection as of one revision. */
  replace(items: readonly T[], resourceVersion: string): void;
  apply(event: WatchEvent<T>): void;
  /** The server has no such resource. It is asked for again and again. */
  missing(): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: ResourceClient<T>;
  readonly scope: InformerScope;
  /** The sink drops metadata.managedFields (WatchQuery.withoutManagedFields). */
  readonly withoutManagedFields?: boolean;
  readonly sink: ReflectorSink<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const PAGE_SIZE = 500;
const WATCH_MIN_SECONDS = 300;
const BACKOFF_START_MS = 50;
const BACKOFF_MAX_MS = 10_000;
/** A server that refuses connections is starting; asking it costs nothing, waiting delays everybody. */
const REFUSED_MAX_MS = 400;
/** A resource whose definition has gone may never come back; who knows that it has asks at once (`relist`). */
const ABSENT_MAX_MS = 60_000;
/** A watch that lived this long was healthy: the next failure waits from the start again. */
const HEALTHY_MS = 5_000;

/**
 * Keeps a sink equal to a collection of the API server.
 *
 *   list ──> watch ──(ends, cut)──> watch from the last revision
 *    ^         └──────(410 Expired)──┐
 *    └───────────────────────────────┘
 *
 * The first list is consistent: WatchList or a list without resourceVersion, never "0" (kubernetes#59848).
 */
export class Reflector<T extends KubeObject> {
  #resourceVersion = '';
  #watchList = true;
  #backoffMs = 0;
  #refused = false;
  #absent = false;
  #round: AbortController | undefined;
  /** Who waits for a list that begins from now on. */
  #asked: (() => void)[] = [];
  #listing = false;

  constructor(private readonly options: ReflectorOptions<T>) {}

  /** Runs until the signal aborts; failures are logged and repeated with growing waits. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.options;
    while (!signal.aborted) {
      const startedAt = clock.monotonic();
      const round = new AbortController();
      const until = AbortSignal.any([signal, round.signal]);
      this.#round = round;
      try {
        if (this.#resourceVersion === '' || this.#asked.length > 0) await this.#initial(until);
        else await this.#watch(until);
        if (clock.monotonic() - startedAt > HEALTHY_MS) this.#backoffMs = 0;
        else if (this.#resourceVersion !== '') continue;
      } catch (error) {
        if (signal.aborted) return;
        if (round.signal.aborted) continue;
        if (clock.monotonic() - startedAt > HEALTHY_MS) this.#backoffMs = 0;
        if (isExpired(error)) {
          this.#resourceVersion = '';
          logger.info('watch expired, listing again');
        } else {
          this.#absent = isNotFound(error);
          if (this.#absent) this.options.sink.missing();
          this.#report(error);
          await this.#pause(until);
        }
      }
    }
  }

  /** Has the collection read once more, from now on; `done` is called when the sink holds it. */
  relist(done: () => void): void {
    this.#asked.push(done);
    // A list that has begun may be older than what is asked for; it ends by itself, and the next one begins.
    if (!this.#listing) this.#round?.abort(new Error('the collection is read anew'));
  }

  /** One full reading of the collection; sets the revision to go on from. */
  async #initial(signal: AbortSignal): Promise<void> {
    const asked = this.#asked.splice(0);
    this.#listing = true;
    const listed = (): void => {
      this.#listing = false;
      for (const done of asked.splice(0)) done();
    };
    try {
      await this.#listBy(listed, signal);
    } finally {
      this.#listing = false;
      this.#asked.push(...asked);
    }
  }

  async #listBy(listed: () => void, signal: AbortSignal): Promise<void> {
    if (this.#watchList)
      try {
        await this.#streamList(listed, signal);
        return;
      } catch (error) {
        // An older server refuses sendInitialEvents; one without progress requests answers 500.
        const refused = error instanceof StatusError && [400, 422, 500].includes(error.code);
        if (!refused || !this.#listing) throw error;
        this.#watchList = false;
      }
    await this.#list(signal);
    listed();
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, scope, sink } = this.options;
    const list = await client.list({ ...scope, pageSize: PAGE_SIZE }, signal);
    const resourceVersion = list.metadata.resourceVersion ?? '';
    sink.replace(list.items, resourceVersion);
    this.#resourceVersion = resourceVersion;
  }

  /** WatchList (KEP-3157), and then the same stream is the watch. */
  async #streamList(done: () => void, signal: AbortSignal): Promise<void> {
    const items = new Map<string, T>();
    let listed = false;
    for await (const event of this.#open(
      { resourceVersion: '', sendInitialEvents: true },
      signal,
    )) {
      if (listed) {
        this.#apply(event);
        continue;
      }
      if (event.type !== 'BOOKMARK') collect(items, event);
      else if (event.initialEventsEnd) {
        listed = true;
        this.options.sink.replace([...items.values()], event.resourceVersion);
        this.#resourceVersion = event.resourceVersion;
        done();
        if (this.#asked.length > 0) return;
      }
    }
    if (!listed) throw new Error('the watch ended before the initial events did');
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    const startedAt = clock.monotonic();
    let seen = 0;
    for await (const event of this.#open({ resourceVersion: this.#resourceVersion }, signal)) {
      seen++;
      this.#apply(event);
    }
    // A server that ends each watch at once must not be asked in a tight loop.
    if (seen === 0 && clock.monotonic() - startedAt < 1000) await this.#pause(signal);
  }

  #open(
    query: Pick<WatchQuery, 'resourceVersion' | 'sendInitialEvents'>,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const { client, scope, random, withoutManagedFields = false } = this.options;
    return client.watch(
      {
        ...scope,
        ...query,
        allowWatchBookmarks: true,
        withoutManagedFields,
        timeoutSeconds: Math.floor(WATCH_MIN_SECONDS * (1 + random.next())),
      },
      signal,
    );
  }

  #apply(event: WatchEvent<T>): void {
    this.options.sink.apply(event);
    this.#resourceVersion =
      (event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion) ??
      this.#resourceVersion;
  }

  /** A server that cannot be reached is said once, not at each try. */
  #report(error: unknown): void {
    const { logger } = this.options;
    const refused = isConnectionError(error) && error.neverSent;
    if (isNotFound(error)) logger.debug('there is no such resource', { error: String(error) });
    else if (!refused) logger.warn('list or watch failed', { error: String(error) });
    else if (!this.#refused) logger.info('waiting for the API server', { error: String(error) });
    this.#refused = refused;
  }

  #longestPause(): number {
    if (this.#refused) return REFUSED_MAX_MS;
    return this.#absent ? ABSENT_MAX_MS : BACKOFF_MAX_MS;
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.options;
    const longest = this.#longestPause();
    this.#backoffMs = Math.min(Math.max(this.#backoffMs * 2, BACKOFF_START_MS), longest);
    await clock.sleep(this.#backoffMs * (0.5 + random.next()), signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

function collect<T extends KubeObject>(
  items: Map<string, T>,
  event: Exclude<WatchEvent<T>, { type: 'BOOKMARK' }>,
): void {
  const { namespace = '', name = '' } = event.object.metadata;
  const key = `${namespace}/${name}`;
  if (event.type === 'DELETED') items.delete(key);
  else items.set(key, event.object);
}
