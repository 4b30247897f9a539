import type { KubeObject } from '@orrery/apimachinery';
import { newBadRequest } from '@orrery/apimachinery';
import { toWrite, withoutStates } from '@orrery/history';
import type { ClusterDiff, DiffMoment, Write } from '@orrery/history';
import type { KeyState } from '@orrery/storage';
import type { HistoryRequest, Scope } from './history-request.js';
import { collectionOf, isInScope, prefixOf, scopeOf } from './history-request.js';
import { momentOf, numberOf, onlyKnown, revisionOf } from './history-query.js';
import { parseState } from './write-reader.js';

const PARAMETERS = ['from', 'to', 'namespace', 'resource', 'limit', 'continue', 'leases'];
/** Keys that are read at a time. */
const AT_ONCE = 16;

/** Keys that differ: when each was last written at both moments, 0 = it is not there. */
async function differingKeys(
  { log, signal }: HistoryRequest,
  prefix: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<string[]> {
  const before = new Map<string, number>();
  const different: string[] = [];
  for await (const page of log.keys(prefix, from, signal))
    for (const [key, revision] of page) before.set(key, revision);
  for await (const page of log.keys(prefix, to, signal)) {
    for (const [key, revision] of page) {
      if (before.get(key) !== revision) different.push(key);
      before.delete(key);
    }
  }
  return [...different, ...before.keys()].sort();
}

/** What happened to one key between two moments, as one write. */
async function compare(
  { log, causes, catalog, signal }: HistoryRequest,
  key: string,
  [from, to]: readonly [number, number],
): Promise<Write> {
  const [before, after] = await Promise.all([
    log.state(key, from, signal),
    log.state(key, to, signal),
  ]);
  const revision = after?.revision ?? to;
  const cause = after && (await causes.of(after.revision, signal));
  const uidOf = (state: KeyState | undefined): string | undefined => stateOf(state)?.metadata.uid;
  const isAnother = before && after && uidOf(before) !== uidOf(after);
  const write = toWrite({
    revision,
    type: after ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED',
    object: catalog.nameOf(key),
    before: stateOf(before),
    after: stateOf(after),
    cause,
  });
  const plain = withoutStates(write);
  return isAnother
    ? { ...plain, summary: `replaced by another of that name: ${plain.summary}` }
    : plain;
}

const stateOf = (state: KeyState | undefined): KubeObject | undefined =>
  state && parseState(state.value, state.revision);

async function momentAt({ history }: HistoryRequest, revision: number): Promise<DiffMoment> {
  const known = await history.timeOf(revision);
  return { revision, ...(known ? { time: new Date(known.time).toISOString() } : {}) };
}

async function ends(call: HistoryRequest): Promise<readonly [number, number]> {
  const { request, now, history } = call;
  const [from, to] = [momentOf(request.query, 'from', now), momentOf(request.query, 'to', now)];
  if (!from) throw newBadRequest('from: name the moment to compare with, e.g. from=41 or from=-5m');
  const last = to ? await revisionOf(history, to) : await history.current();
  const first = await revisionOf(history, from);
  if (first > last)
    throw newBadRequest(`from (revision ${first}) lies behind to (revision ${last})`);
  return [first, last];
}

/** Renewals of Leases change nothing that anybody compares. */
function isWanted(write: Write, scope: Scope, query: URLSearchParams): boolean {
  const isLease = write.object.group === 'coordination.k8s.io' && !scope.kind;
  return !isLease || write.type !== 'MODIFIED' || query.get('leases') === 'true';
}

/** The keys of a page that the user may see, and whether there are more. */
async function pageOf(
  { request: { query }, catalog, access }: HistoryRequest,
  keys: readonly string[],
  { scope, limit }: { readonly scope: Scope; readonly limit: number },
): Promise<{ readonly keys: readonly string[]; readonly next?: string }> {
  const start = query.get('continue') ?? '';
  const page: string[] = [];
  for (const key of keys) {
    const object = catalog.nameOf(key);
    if (key <= start || !isInScope(object, scope) || !(await access.mayList(object))) continue;
    const last = page.at(-1);
    if (page.length >= limit && last !== undefined) return { keys: page, next: last };
    page.push(key);
  }
  return { keys: page };
}

/** GET /history/diff?from=…&to=… */
export async function clusterDiff(call: HistoryRequest): Promise<ClusterDiff> {
  const { query } = call.request;
  onlyKnown(query, PARAMETERS);
  const limit = numberOf(query, 'limit', { fallback: 500, most: 5000 });
  const scope = scopeOf(call);
  const [from, to] = await ends(call);
  if (scope.kind) await call.access.require('list', collectionOf(scope.kind, scope.namespace));
  const keys = await differingKeys(call, prefixOf(call, scope), { from, to });
  const page = await pageOf(call, keys, { scope, limit });
  const changes: Write[] = [];
  for (let i = 0; i < page.keys.length; i += AT_ONCE) {
    const some = page.keys.slice(i, i + AT_ONCE).map((key) => compare(call, key, [from, to]));
    changes.push(...(await Promise.all(some)).filter((one) => isWanted(one, scope, query)));
  }
  const { omitted } = call.access;
  return {
    kind: 'ClusterDiff',
    from: await momentAt(call, from),
    to: await momentAt(call, to),
    changes,
    ...(page.next === undefined ? {} : { continue: page.next }),
    ...(omitted.length > 0 ? { omitted } : {}),
  };
}
