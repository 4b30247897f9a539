import type { IEvent } from 'etcd3';

import { sealOf } from '../encryption/seal.js';
import { StorageError } from '../storage-error.js';
import type { StorageEvent, WatchItem, WatchOptions } from '../storage.js';
import type { EtcdClient } from './etcd-client.js';
import { feed } from './etcd-feed.js';
import { ALL_KEYS, prefixEnd } from './key-range.js';
import { StoredEntry } from './stored-entry.js';

export interface EtcdWatchOptions extends WatchOptions {
  readonly prefix: string;
}

const PROBE_MS = 1000;

/**
 * A watch of etcd's own. A consumer that does not keep up pauses the stream (etcd then replays from its history), so
 * nothing is buffered here beyond a batch. With `progressMs` it watches every key: each revision has an event, so the
 * last one seen is a progress mark that needs no word from etcd.
 */
export async function* watchEtcd(
  client: EtcdClient,
  { prefix, after, signal, progressMs }: EtcdWatchOptions,
): AsyncGenerator<readonly WatchItem[]> {
  const range = { key: Buffer.from(prefix), range_end: prefixEnd(prefix) };
  const batches = feed(client, {
    range: progressMs === undefined ? range : ALL_KEYS,
    after,
    previous: true,
    signal,
    probeMs: Math.min(PROBE_MS, progressMs ?? PROBE_MS),
  });
  let marked = client.clock.monotonic();
  for await (const { events, revision } of batches) {
    if (signal.aborted) return;
    const items: WatchItem[] = [];
    for (const raw of events) {
      const key = raw.kv.key.toString();
      if (key.startsWith(prefix)) items.push({ kind: 'event', event: toStorageEvent(raw, key) });
    }
    if (progressMs !== undefined && client.clock.monotonic() - marked >= progressMs) {
      marked = client.clock.monotonic();
      items.push({ kind: 'progress', revision });
    }
    if (items.length > 0) yield items;
  }
}

/** The events of a prefix above `after`, from etcd's history; every batch tells how far it reaches. */
export async function* replayEtcd(
  client: EtcdClient,
  prefix: string,
  { after, signal }: Pick<WatchOptions, 'after' | 'signal'>,
): AsyncGenerator<{ readonly items: readonly WatchItem[]; readonly revision: number }> {
  for await (const batch of feed(client, { range: ALL_KEYS, after, previous: true, signal })) {
    const items: WatchItem[] = [];
    for (const raw of batch.events) {
      const key = raw.kv.key.toString();
      if (key.startsWith(prefix)) items.push({ kind: 'event', event: toStorageEvent(raw, key) });
    }
    yield { items, revision: batch.revision };
  }
}

/** An event that etcd sent with its previous state. */
export function toStorageEvent({ type, kv, prev_kv }: IEvent, key: string): StorageEvent {
  const revision = Number(kv.mod_revision);
  const createRevision = Number(kv.create_revision);
  if (type === 'Put' && createRevision === revision) {
    return {
      type: 'ADDED',
      entry: new StoredEntry({ key, revision, createRevision, value: kv.value, seal: sealOf(kv) }),
      revision,
    };
  }
  // etcd answers no previous state when the revision before was compacted between the write and this replay.
  if (!prev_kv) {
    const message = `watch: the state of ${key} before revision ${revision} was compacted`;
    throw new StorageError('compacted', message, { key, revision });
  }
  const previous = new StoredEntry({
    key,
    revision: Number(prev_kv.mod_revision),
    createRevision: Number(prev_kv.create_revision),
    value: prev_kv.value,
    seal: sealOf(prev_kv),
  });
  return type === 'Put'
    ? {
        type: 'MODIFIED',
        entry: new StoredEntry({
          key,
          revision,
          createRevision,
          value: kv.value,
          seal: sealOf(kv),
        }),
        previous,
        revision,
      }
    : { type: 'DELETED', entry: previous.at(revision), previous, revision };
}
