import type { IEvent } from 'etcd3';

import type { EtcdClient } from '../etcd3/etcd-client.js';
import { feed } from '../etcd3/etcd-feed.js';
import { ALL_KEYS } from '../etcd3/key-range.js';
import type { StoredEntry } from '../etcd3/stored-entry.js';
import { StorageError } from '../storage-error.js';
import type { Entry, StorageEvent, WatchItem, WatchOptions } from '../storage.js';
import type { ReplayBatch } from '../watch-cache/memory-reads.js';
import type { ForkBase } from './fork-base.js';
import { forkRecordKey, parseOverlayKey } from './fork-record.js';
import type { Fork } from './fork-record.js';
import { decodeOverlay } from './overlay-value.js';

/** Said by whatever still uses a fork that is no more. */
export function forkGone({ name }: Pick<Fork, 'name'>, why: string): StorageError {
  return new StorageError('gone', `the fork "${name}" ${why}`);
}

export const REMOVED = 'has been removed';

export interface ForkEventsDeps {
  readonly client: EtcdClient;
  readonly fork: Fork;
  readonly base: ForkBase;
}

/** Throws for a watch that would have to start before the fork was there. */
export function refuseBeforeCreation({ name, created }: Fork, after: number): void {
  if (after >= created) return;
  const message = `watch: the fork "${name}" begins at revision ${created}, ${after} lies before it`;
  throw new StorageError('compacted', message, { revision: created });
}

function eventOf(
  { type, kv }: IEvent,
  key: string,
  previous: Entry | undefined,
): StorageEvent | undefined {
  const revision = Number(kv.mod_revision);
  const now = type === 'Put' ? decodeOverlay(key, kv) : undefined;
  if (now?.kind === 'object') {
    const { entry } = now;
    return previous
      ? { type: 'MODIFIED', entry, previous, revision }
      : { type: 'ADDED', entry, revision };
  }
  if (!previous) return undefined;
  return { type: 'DELETED', entry: (previous as StoredEntry).at(revision), previous, revision };
}

/** What the key was before an event that etcd sent with its previous state. */
function previousOf(
  { type, kv, prev_kv }: IEvent,
  key: string,
  base: ForkBase,
): Promise<Entry | undefined> {
  if (prev_kv) {
    const before = decodeOverlay(key, prev_kv);
    return Promise.resolve(before.kind === 'object' ? before.entry : undefined);
  }
  if (type === 'Put' && kv.create_revision === kv.mod_revision) return base.get(key);
  const revision = Number(kv.mod_revision);
  const message = `watch: the state of ${key} before revision ${revision} was compacted`;
  return Promise.reject(new StorageError('compacted', message, { key, revision }));
}

/** The fork's events below a prefix, in order; ends with 'gone' when the fork is removed. */
export async function* replayFork(
  { client, fork, base }: ForkEventsDeps,
  prefix: string,
  { after, signal, progressMs }: WatchOptions,
): AsyncGenerator<ReplayBatch> {
  refuseBeforeCreation(fork, after);
  const record = forkRecordKey(fork.name);
  const probe = progressMs === undefined ? {} : { probeMs: Math.min(1000, progressMs) };
  for await (const batch of feed(client, {
    range: ALL_KEYS,
    after,
    previous: true,
    signal,
    ...probe,
  })) {
    const items: WatchItem[] = [];
    for (const raw of batch.events) {
      const full = raw.kv.key.toString();
      if (full === record) throw forkGone(fork, REMOVED);
      const parsed = parseOverlayKey(full);
      if (parsed?.name !== fork.name || !parsed.key.startsWith(prefix)) continue;
      const event = eventOf(raw, parsed.key, await previousOf(raw, parsed.key, base));
      if (event) items.push({ kind: 'event', event });
    }
    yield { items, revision: batch.revision };
  }
}

/** {@link replayFork} as a watch: with progress marks where they are asked for. */
export async function* watchFork(
  deps: ForkEventsDeps,
  prefix: string,
  options: WatchOptions,
): AsyncGenerator<readonly WatchItem[]> {
  const { clock } = deps.client;
  const { progressMs, signal } = options;
  let marked = clock.monotonic();
  for await (const { items, revision } of replayFork(deps, prefix, options)) {
    if (signal.aborted) return;
    const isDue = progressMs !== undefined && clock.monotonic() - marked >= progressMs;
    if (isDue) marked = clock.monotonic();
    const all: readonly WatchItem[] = isDue ? [...items, { kind: 'progress', revision }] : items;
    if (all.length > 0) yield all;
  }
}
