import { StatusError, newBadRequest, newExpired, newNotFound } from '@orrery/apimachinery';
import { Turns, inTurns } from '@orrery/component';
import { isStorageError } from '@orrery/storage';
import type { Entry, Freshness, ListResult } from '@orrery/storage';
import { decodeContinue, encodeContinue } from './continue-token.js';
import type { ListRequest } from './list-options.js';
import { parseResourceVersion, validateListRequest } from './list-options.js';
import type { Representation } from './representation.js';
import { representationOf } from './representation.js';
import { toStatusError } from './storage-status.js';
import type { StoreScope } from './store-deps.js';
import { keyOfObject, keyPrefixOf, singleKeyOf } from './store-deps.js';

export interface ObjectList {
  readonly items: readonly Representation[];
  readonly resourceVersion: string;
  readonly continueToken?: string;
  readonly remainingItemCount?: number;
}

function freshnessOfGet(resourceVersion: string): Freshness {
  const revision = parseResourceVersion(resourceVersion, 'get');
  if (revision === undefined) return { kind: 'consistent' };
  return revision === 0 ? { kind: 'any' } : { kind: 'notOlderThan', revision };
}

export async function getObject(
  scope: StoreScope,
  namespace: string | undefined,
  name: string,
  options: { readonly resourceVersion?: string; readonly signal?: AbortSignal } = {},
): Promise<Representation> {
  try {
    const entry = await scope.deps.storage.get(keyOfObject(scope, namespace, name), {
      freshness: freshnessOfGet(options.resourceVersion ?? ''),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    if (!entry) throw newNotFound(scope.resource, name);
    return representationOf(scope.kind, entry);
  } catch (error) {
    throw toStatusError(error, scope.resource, name);
  }
}

interface Page {
  readonly freshness: Freshness;
  readonly after?: string;
  readonly continuing: boolean;
}

/** Which snapshot is asked for, and from where on. */
function pageOf(scope: StoreScope, request: ListRequest): Page {
  if (request.continueToken !== '') {
    const token = decodeContinue(request.continueToken, scope.deps.cluster);
    if (request.resourceVersion !== '' && request.resourceVersion !== '0')
      throw newBadRequest('specifying resource version is not allowed when using continue');
    const after = `${keyPrefixOf(scope, request.namespace)}${token.after}`;
    return token.revision < 0
      ? { freshness: { kind: 'consistent' }, after, continuing: true }
      : { freshness: { kind: 'exact', revision: token.revision }, after, continuing: true };
  }
  const revision = parseResourceVersion(request.resourceVersion, 'list');
  if (revision === undefined) return { freshness: { kind: 'consistent' }, continuing: false };
  if (revision === 0) return { freshness: { kind: 'any' }, continuing: false };
  const legacyExact = request.resourceVersionMatch === '' && request.limit > 0;
  if (request.resourceVersionMatch === 'Exact' || legacyExact)
    return { freshness: { kind: 'exact', revision }, continuing: false };
  return { freshness: { kind: 'notOlderThan', revision }, continuing: false };
}

interface Found {
  readonly entries: Entry[];
  readonly result: ListResult;
  /** Key of the last entry that was looked at. */
  readonly last?: string;
}

/** Adds what matches to `found` until it holds `limit` entries; answers the last key looked at. */
async function take(
  scope: StoreScope,
  { predicate, limit }: ListRequest,
  entries: readonly Entry[],
  found: Entry[],
): Promise<string | undefined> {
  let last: string | undefined;
  const turns = new Turns();
  for (const entry of entries) {
    if (turns.isOver) await turns.next();
    last = entry.key;
    const unread = predicate && entry.readSteps?.('object');
    if (unread) await inTurns(unread);
    if (predicate && !predicate(representationOf(scope.kind, entry).object)) continue;
    found.push(entry);
    if (limit > 0 && found.length >= limit) break;
  }
  return last;
}

/** Collects matching entries page by page until `limit` is reached. */
async function collect(
  scope: StoreScope,
  request: ListRequest,
  page: Page,
  signal?: AbortSignal,
): Promise<Found> {
  const prefix = keyPrefixOf(scope, request.namespace);
  const { limit } = request;
  const found: Entry[] = [];
  let { freshness, after } = page;
  for (;;) {
    const result = await scope.deps.storage.list(prefix, {
      freshness,
      ...(after === undefined ? {} : { after }),
      ...(limit > 0 ? { limit } : {}),
      ...(signal ? { signal } : {}),
    });
    const last = (await take(scope, request, result.entries, found)) ?? after;
    const isFull = limit > 0 && found.length >= limit;
    if (isFull || result.remaining === 0) {
      const isAll = last === result.entries.at(-1)?.key || result.entries.length === 0;
      const remaining = result.remaining + (isAll ? 0 : 1);
      return { entries: found, result: { ...result, remaining }, ...(last ? { last } : {}) };
    }
    after = last;
    freshness = { kind: 'exact', revision: result.revision };
  }
}

const clusterOf = ({ deps: { cluster } }: StoreScope): { cluster?: string } =>
  cluster === undefined ? {} : { cluster };

/**
 * What clients see of entries; of many, some at a time, so that others have their turn: the bytes of those that nobody has
 * read yet are parsed once, to see that they are sound.
 */
async function representationsOf(
  { kind }: StoreScope,
  entries: readonly Entry[],
): Promise<Representation[]> {
  const items: Representation[] = [];
  const turns = new Turns();
  for (const entry of entries) {
    if (turns.isOver) await turns.next();
    const unread = entry.readSteps?.('sound');
    if (unread) await inTurns(unread);
    items.push(representationOf(kind, entry));
  }
  return items;
}

async function toList(scope: StoreScope, request: ListRequest, found: Found): Promise<ObjectList> {
  const { entries, result, last } = found;
  const more = result.remaining > 0 && last !== undefined;
  const prefix = keyPrefixOf(scope, request.namespace);
  return {
    items: await representationsOf(scope, entries),
    resourceVersion: String(result.revision),
    ...(more
      ? {
          continueToken: encodeContinue({
            revision: result.revision,
            after: last.slice(prefix.length),
            ...clusterOf(scope),
          }),
          ...(request.predicate ? {} : { remainingItemCount: result.remaining }),
        }
      : {}),
  };
}

/** 410 for a continue token whose snapshot is gone; carries a token that goes on inconsistently. */
function expiredContinue(scope: StoreScope, request: ListRequest): StatusError {
  const error = newExpired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  const { after } = decodeContinue(request.continueToken, scope.deps.cluster);
  const token = { revision: -1, after, ...clusterOf(scope) };
  error.status.metadata = { continue: encodeContinue(token) };
  return error;
}

/** A key behind which `key` is the next one there can be: keys are printable ASCII. */
const justBefore = (key: string): string =>
  `${key.slice(0, -1)}${String.fromCharCode(key.charCodeAt(key.length - 1) - 1)}\x7f`;

/** A list of at most one object, whose key is known. */
async function listSingle(
  scope: StoreScope,
  request: ListRequest,
  key: string,
  { freshness }: Page,
  signal?: AbortSignal,
): Promise<ObjectList> {
  const { entries, revision } = await scope.deps.storage.list(
    keyPrefixOf(scope, request.namespace),
    { freshness, after: justBefore(key), limit: 1, ...(signal ? { signal } : {}) },
  );
  const items = entries
    .filter((entry) => entry.key === key)
    .map((entry) => representationOf(scope.kind, entry))
    .filter(({ object }) => request.predicate?.(object) ?? true);
  return { items, resourceVersion: String(revision) };
}

/** LIST: a snapshot at one revision, whole or by pages (api-contract.md B.6). */
export async function listObjects(
  scope: StoreScope,
  request: ListRequest,
  signal?: AbortSignal,
): Promise<ObjectList> {
  validateListRequest(request);
  const page = pageOf(scope, request);
  const key = page.continuing ? undefined : singleKeyOf(scope, request);
  try {
    if (key !== undefined) return await listSingle(scope, request, key, page, signal);
    // Any state is shown whole (k8s apiserver pkg/storage/cacher/util.go:computeListLimit).
    const whole = request.resourceVersion === '0' ? { ...request, limit: 0 } : request;
    return await toList(scope, whole, await collect(scope, whole, page, signal));
  } catch (error) {
    if (page.continuing && isStorageError(error, 'compacted'))
      throw expiredContinue(scope, request);
    throw toStatusError(error, scope.resource);
  }
}
