import { machineTime } from '@orrery/component';
import type { Cancel } from '@orrery/component';
import type { IEvent, IWatchCreateRequest, IWatchResponse } from 'etcd3';

import { StorageError } from '../storage-error.js';
import { WATCH } from '../wire/etcd-messages.js';
import type { MessageStream } from '../wire/stream-calls.js';
import type { EtcdClient } from './etcd-client.js';
import { SeenPast } from './seen-past.js';

export interface FeedOptions {
  /** The keys: one, or `[key, range_end)`. */
  readonly range: { readonly key: Buffer; readonly range_end?: Buffer };
  /**
   * Events with a revision greater than this one are fed; without it what comes from now on, and the first batch has no event and
   * tells the revision of now. etcd catches up a watch that begins in its past, were it by one write of another key, only every
   * 100 ms (etcd server/mvcc/watchable_store.go:syncWatchersLoop).
   */
  readonly after?: number;
  /** `after` is a revision that etcd has had, and not one to wait for. */
  readonly afterWasSeen?: boolean;
  readonly previous: boolean;
  readonly signal: AbortSignal;
  /** A silent stream is probed at this interval, and given up when one goes unanswered. Default 1,000. */
  readonly probeMs?: number;
  /** Which member to start on, counted from the preferred one. Default 0. */
  readonly firstTurn?: number;
  /** Called when a stream broke and another is tried. */
  readonly onRetry?: (error: unknown) => void;
}

/** Some changes, or none after a probe of a silent stream. */
export interface FeedBatch {
  readonly events: readonly IEvent[];
  /** No event of the watched range at or below this revision will follow. */
  readonly revision: number;
}

/** 3.4 calls a token that it has forgotten a lack of permission. */
const REFUSED = /permission denied|auth token|auth store is old/;
const PROBE_MS = 1000;
const FIRST_BACKOFF_MS = 20;
const LONGEST_BACKOFF_MS = 1000;
/** Before it has begun, which a whole server may wait for. */
const LONGEST_BEFORE_BEGIN_MS = 200;

/**
 * etcd's events of a range, in order and without a gap over any number of broken streams. It resumes after the last
 * event it has handed over, never at a header's revision: etcd stamps a partial catch-up with the current one, and
 * before 3.4.25 and 3.5.8 a progress response can overtake events (etcd#15220). Throws only 'compacted': history was
 * compacted, or etcd came back with another one (a restored snapshot).
 */
export async function* feed(client: EtcdClient, options: FeedOptions): AsyncGenerator<FeedBatch> {
  const { signal } = options;
  let { after } = options;
  const past = new SeenPast(client, options.afterWasSeen === true ? (after ?? 0) : 0);
  let backoffMs = 0;
  const firstTurn = options.firstTurn ?? 0;
  for (let turn = firstTurn; !signal.aborted; turn++) {
    try {
      if (turn !== firstTurn) await past.verify(signal);
      const resumed = after === undefined ? options : { ...options, after };
      for await (const batch of readStream(client, resumed, turn)) {
        after = batch.revision;
        past.saw(batch);
        backoffMs = 0;
        yield batch;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof StorageError && error.code === 'compacted') throw error;
      if (REFUSED.test(String(error))) client.renewToken();
      options.onRetry?.(error);
    }
    await client.clock.sleep(backoffMs, signal).catch(() => undefined);
    const longest = after === undefined ? LONGEST_BEFORE_BEGIN_MS : LONGEST_BACKOFF_MS;
    backoffMs = Math.min(longest, Math.max(FIRST_BACKOFF_MS, backoffMs * 2));
  }
}

/** One watch stream, until it breaks. */
async function* readStream(
  client: EtcdClient,
  options: FeedOptions,
  turn: number,
): AsyncGenerator<FeedBatch> {
  const stream = await openStream(client, turn);
  const watchdog = new Watchdog(client, stream, options.probeMs ?? PROBE_MS);
  const onAbort = (): void => {
    stream.cancel();
  };
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (options.signal.aborted) return;
    stream.write({ create_request: createRequest(options) });
    let after = options.after;
    let held: IEvent[] = [];
    for await (const response of watchdog.watchOver(stream)) {
      refuseCanceled(response);
      if (after === undefined) {
        after = Number(response.header.revision);
        yield { events: [], revision: after };
        continue;
      }
      client.encryption?.openEvents(response.events);
      held = held.length === 0 ? response.events : held.concat(response.events);
      const ready = response.fragment ? completeRevisions(held) : held;
      held = held.slice(ready.length);
      after = revisionOf(ready.at(-1)) ?? after;
      if (!response.created) yield { events: ready, revision: after };
    }
  } finally {
    watchdog.stop();
    options.signal.removeEventListener('abort', onAbort);
    stream.cancel();
  }
}

async function openStream(client: EtcdClient, turn: number): Promise<MessageStream> {
  const fields = await client.fields();
  return client.member(turn).streams.open(WATCH, fields);
}

function createRequest({ range, after, previous }: FeedOptions): IWatchCreateRequest {
  const start = after === undefined ? 0 : after + 1;
  return { ...range, start_revision: start, prev_kv: previous, fragment: true };
}

function refuseCanceled({ canceled, compact_revision, cancel_reason }: IWatchResponse): void {
  if (!canceled) return;
  const revision = Number(compact_revision);
  if (revision > 0) {
    const message = `watch: the revision to start from was compacted, the oldest left is ${revision}`;
    throw new StorageError('compacted', message, { revision });
  }
  throw new Error(`etcd canceled the watch: ${cancel_reason || 'no reason given'}`);
}

/** The leading events whose revision cannot have more in the next fragment. */
function completeRevisions(events: readonly IEvent[]): IEvent[] {
  const last = revisionOf(events.at(-1));
  return events.slice(
    0,
    events.findIndex((event) => revisionOf(event) === last),
  );
}

function revisionOf(event: IEvent | undefined): number | undefined {
  return event && Number(event.kv.mod_revision);
}

/** Probes a stream on which nothing comes, and cancels it when the probe is not answered either. */
class Watchdog {
  private silent = 0;
  private reading = false;
  private cancelTimer: Cancel = () => undefined;

  constructor(
    private readonly client: EtcdClient,
    private readonly stream: MessageStream,
    private readonly probeMs: number,
  ) {
    this.schedule();
  }

  /** Passes responses on; only the time spent waiting for one counts as silence. */
  async *watchOver(stream: MessageStream): AsyncGenerator<IWatchResponse> {
    this.reading = true;
    for await (const response of stream) {
      this.silent = 0;
      this.reading = false;
      yield response as IWatchResponse;
      this.reading = true;
    }
  }

  stop(): void {
    this.cancelTimer();
  }

  private schedule(): void {
    // Etcd answers in the machine's time, whatever clock the cluster goes by.
    const clock = machineTime(this.client.clock);
    this.cancelTimer = clock.after(this.probeMs, () => this.check(), { unref: true });
  }

  private check(): void {
    if (this.reading) this.silent++;
    if (this.silent > 2) {
      this.stream.cancel();
      return;
    }
    if (this.silent > 0) this.stream.write({ progress_request: {} });
    this.schedule();
  }
}
