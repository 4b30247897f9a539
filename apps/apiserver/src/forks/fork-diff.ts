import type { KubeObject } from '@orrery/apimachinery';
import { newBadRequest } from '@orrery/apimachinery';
import type { Entry, ForkChange, Forks, OpenFork, Storage } from '@orrery/storage';
import type { ResourceCatalog } from '../rest/resource-catalog.js';
import { FORK_API } from './fork-document.js';

export interface DiffDeps {
  readonly forks: Forks;
  readonly live: Storage;
  readonly keyPrefix: string;
  readonly catalog: ResourceCatalog;
}

const CONSISTENT = { freshness: { kind: 'consistent' } } as const;

/** Both sides of every key below a prefix that are not one and the same state. */
async function compare(prefix: string, before: Storage, after: Storage): Promise<ForkChange[]> {
  const [old, now] = await Promise.all([
    before.list(prefix, CONSISTENT),
    after.list(prefix, CONSISTENT),
  ]);
  const left = new Map(old.entries.map((entry) => [entry.key, entry]));
  const changes: ForkChange[] = [];
  for (const entry of now.entries) {
    const other = left.get(entry.key);
    left.delete(entry.key);
    if (other?.revision === entry.revision) continue;
    changes.push({ key: entry.key, after: entry, ...(other && { before: other }) });
  }
  for (const entry of left.values()) changes.push({ key: entry.key, before: entry });
  return changes;
}

/** The fork against the live cluster as it is now, resource by resource. */
async function againstLive(deps: DiffDeps, fork: OpenFork): Promise<ForkChange[]> {
  const prefixes = new Set(
    deps.catalog.all().map(({ kind }) => `${deps.keyPrefix}${kind.storagePrefix}/`),
  );
  const changes: ForkChange[] = [];
  for (const prefix of [...prefixes].sort())
    changes.push(...(await compare(prefix, deps.live, fork.storage)));
  return changes;
}

/** Managed fields change with every write and say who, not what. */
function withoutManagers({ object }: Entry): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function toChange({ key, before, after }: ForkChange): Record<string, unknown> {
  const object = (after ?? before)?.object;
  const { namespace, name = key.slice(key.lastIndexOf('/') + 1) } = object?.metadata ?? {};
  return {
    type: before ? (after ? 'changed' : 'deleted') : 'added',
    apiVersion: object?.apiVersion ?? '',
    kind: object?.kind ?? '',
    ...(namespace ? { namespace } : {}),
    name,
    key,
    ...(before ? { before: withoutManagers(before) } : {}),
    ...(after ? { after: withoutManagers(after) } : {}),
  };
}

/** What differs in a fork: from what it stands on (`against=base`), or from the live cluster as it is now. */
export async function forkDiff(
  deps: DiffDeps,
  fork: OpenFork,
  against: string,
): Promise<Record<string, unknown>> {
  if (against !== 'base' && against !== 'live')
    throw newBadRequest(`against=${against}: a fork can be compared with its base or with live`);
  const found = against === 'live' ? await againstLive(deps, fork) : await deps.forks.changes(fork);
  const isEffective = ({ before, after }: ForkChange): boolean => Boolean(before ?? after);
  return {
    kind: 'ForkDiff',
    apiVersion: FORK_API,
    fork: fork.fork.name,
    baseRevision: fork.fork.base,
    against,
    changes: found.filter(isEffective).map(toChange),
  };
}
