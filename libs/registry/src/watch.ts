import type { StatusError } from '@orrery/apimachinery';
import { newExpired } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import { isStorageError } from '@orrery/storage';
import type { Entry, StorageError, StorageEvent, WatchItem } from '@orrery/storage';
import type { WatchRequest } from './list-options.js';
import { parseResourceVersion, validateWatchRequest } from './list-options.js';
import { listObjects } from './read.js';
import type { Representation } from './representation.js';
import { represent, representationOf } from './representation.js';
import { toStatusError } from './storage-status.js';
import type { StoreScope } from './store-deps.js';
import { keyPrefixOf, singleKeyOf } from './store-deps.js';

export type WatchEvent =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly representation: Representation;
      /** What the watcher has seen with it: the revision of the write, or of the list that a watch begins with. */
      readonly revision: number;
    }
  | {
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      /** The initial events of a WatchList are complete. */
      readonly initialEventsEnd: boolean;
    };

/** How often a watch that allows bookmarks gets one. */
const BOOKMARK_MS = 10_000;

/** The last matching state of an object that left the selector, at the revision of that write. */
function departed(scope: StoreScope, previous: Entry, revision: number): Representation {
  const { object } = representationOf(scope.kind, previous);
  return represent({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(revision) },
  });
}

/** What a change means to a watcher with a selector (consistency.md 1.0). */
function toWatchEvent(
  scope: StoreScope,
  request: WatchRequest,
  event: StorageEvent,
): WatchEvent | undefined {
  const representation = representationOf(scope.kind, event.entry);
  const { predicate } = request;
  const { revision } = event;
  if (!predicate) return { type: event.type, representation, revision };
  if (event.type === 'DELETED') {
    return predicate(representation.object)
      ? { type: 'DELETED', representation, revision }
      : undefined;
  }
  const matches = predicate(representation.object);
  const matched =
    event.type === 'MODIFIED' &&
    event.previous !== undefined &&
    predicate(representationOf(scope.kind, event.previous).object);
  if (matches) return { type: matched ? 'MODIFIED' : 'ADDED', representation, revision };
  return matched && event.previous
    ? { type: 'DELETED', representation: departed(scope, event.previous, revision), revision }
    : undefined;
}

function toBatch(
  scope: StoreScope,
  request: WatchRequest,
  items: readonly WatchItem[],
): WatchEvent[] {
  const batch: WatchEvent[] = [];
  for (const item of items) {
    if (item.kind === 'event') {
      const event = toWatchEvent(scope, request, item.event);
      if (event) batch.push(event);
    } else if (request.allowBookmarks) {
      batch.push({
        type: 'BOOKMARK',
        resourceVersion: String(item.revision),
        initialEventsEnd: false,
      });
    }
  }
  return batch;
}

/** What all watchers of a prefix that want everything are handed, by the array that they have in common. */
const shared = new WeakMap<readonly WatchItem[], Map<KindDescriptor, readonly WatchEvent[]>>();

/** The same array for all who are handed the same items and want all of them: what is made of it can be shared, too. */
function batchOf(
  scope: StoreScope,
  request: WatchRequest,
  items: readonly WatchItem[],
): readonly WatchEvent[] {
  if (request.predicate || items.some(({ kind }) => kind !== 'event'))
    return toBatch(scope, request, items);
  let byKind = shared.get(items);
  if (!byKind) shared.set(items, (byKind = new Map()));
  let batch = byKind.get(scope.kind);
  if (!batch) byKind.set(scope.kind, (batch = toBatch(scope, request, items)));
  return batch;
}

interface Start {
  readonly initial: readonly WatchEvent[];
  readonly after: number;
}

async function startOf(scope: StoreScope, request: WatchRequest): Promise<Start> {
  const revision = parseResourceVersion(request.resourceVersion, 'watch');
  const withState = request.sendInitialEvents ?? (revision === undefined || revision === 0);
  if (!withState) {
    return { initial: [], after: revision || (await scope.deps.storage.revision(request.signal)) };
  }
  const list = await listObjects(
    scope,
    {
      ...request,
      resourceVersionMatch: revision ? 'NotOlderThan' : '',
      limit: 0,
      continueToken: '',
    },
    request.signal,
  );
  const initial: WatchEvent[] = list.items.map((representation) => ({
    type: 'ADDED',
    representation,
    revision: Number(list.resourceVersion),
  }));
  // One that begins anywhere without asking for it is told as well (k8s …/internalversion/defaults.go:SetListOptionsDefaults).
  if (request.allowBookmarks) {
    initial.push({
      type: 'BOOKMARK',
      resourceVersion: list.resourceVersion,
      initialEventsEnd: true,
    });
  }
  return { initial, after: Number(list.resourceVersion) };
}

/** k8s apiserver pkg/storage/cacher/watch_cache.go:getAllEventsSinceLocked. */
const tooOld = (after: number, { detail }: StorageError): StatusError =>
  newExpired(`too old resource version: ${after} (${detail.revision ?? after + 1})`);

/**
 * WATCH: batches of events in order. Throws StatusError; the first `next()` does so for what is wrong with the
 * request itself, later ones for what ends a running watch (410 when history was compacted).
 */
export async function* watchObjects(
  scope: StoreScope,
  request: WatchRequest,
): AsyncGenerator<readonly WatchEvent[], void> {
  validateWatchRequest(request);
  const start = await startOf(scope, request);
  yield start.initial;
  // Keys that only begin with the one asked for are kept out by the predicate.
  const prefix = singleKeyOf(scope, request) ?? keyPrefixOf(scope, request.namespace);
  const stream = scope.deps.storage.watch(prefix, {
    after: start.after,
    signal: request.signal,
    paced: true,
    ...(request.allowBookmarks ? { progressMs: BOOKMARK_MS } : {}),
  });
  try {
    for await (const items of stream) {
      const batch = batchOf(scope, request, items);
      if (batch.length > 0) yield batch;
    }
  } catch (error) {
    if (isStorageError(error, 'compacted')) throw tooOld(start.after, error as StorageError);
    throw toStatusError(error, scope.resource);
  }
}
