import { inScope, isSameContent } from '../../history/object-version.js';
import type { Problem, WatchContext, WatchValidator } from './watch-context.js';
import { eventId, indexEvents } from './watch-context.js';
import { validateInitialEvents } from './initial-events.js';

/** Every change is one of the log, with the log's content. */
function validateAuthentic({ delivered, log }: WatchContext): Problem[] {
  return delivered.flatMap(({ change, rv, key }) => {
    const object = log.versionOf(key, rv)?.object;
    if (change.type === 'DELETED' || (object && isSameContent(object, change.object))) return [];
    return [{ message: `${change.type} ${key} at revision ${rv} is not in the log`, rv, key }];
  });
}

/** Starting to match is ADDED, ceasing to match is DELETED, and neither is shown when it did not match on either side. */
function validateTransitions({ live, expected, from, log }: WatchContext): Problem[] {
  if (from === undefined) return [];
  const byId = indexEvents(expected);
  return live.flatMap((event) => {
    const { rv, key, change } = event;
    const want = byId.get(eventId(event));
    if (want ? !want.byTransition || want.type === change.type : !log.versionOf(key, rv)) return [];
    if (!want && rv <= from) return [];
    const had = want ? `had to be ${want.type}` : 'was not to be shown';
    return [{ message: `${change.type} ${key} at revision ${rv} ${had}`, rv, key }];
  });
}

/** A DELETED has the revision of the write that removed the object or its match. */
function validateDeletionRevision({ delivered, log }: WatchContext): Problem[] {
  return delivered.flatMap(({ change, rv, key }) => {
    if (change.type !== 'DELETED') return [];
    const version = log.versionOf(key, rv);
    if (version?.before?.object) return [];
    return [
      { message: `DELETED ${key} with revision ${rv}, at which nothing removed it`, rv, key },
    ];
  });
}

/** ERROR is the last response and carries a Status. */
function validateErrorLast({ watch: { responses } }: WatchContext): Problem[] {
  return responses.flatMap((response, index) => {
    if (response.type !== 'ERROR') return [];
    if (response.code === undefined) return [{ message: 'ERROR without a Status' }];
    const after = responses.length - index - 1;
    return after > 0 ? [{ message: `${after} responses after ERROR ${response.code}` }] : [];
  });
}

/** Bookmarks never go back. */
function validateBookmarkOrder({ watch: { responses, rv: asked = 0 } }: WatchContext): Problem[] {
  let highest = asked;
  return responses.flatMap((response) => {
    if (response.type !== 'BOOKMARK') return [];
    const { rv } = response;
    if (rv < highest) return [{ message: `bookmark ${rv} after ${highest}`, rv }];
    highest = rv;
    return [];
  });
}

/** `pods/ns1` never shows what is in `pods/ns10`. */
function validatePrefix({ watch, delivered }: WatchContext): Problem[] {
  return delivered
    .filter(({ key }) => !inScope(watch.scope, key))
    .map(({ key, rv }) => ({ message: `${key} is not in ${watch.scope}`, rv, key }));
}

/** Those of the Kubernetes storage model that etcd has not. */
export const KUBERNETES_VALIDATORS: readonly WatchValidator[] = [
  { rule: 'authentic', validate: validateAuthentic },
  { rule: 'selector-transition', validate: validateTransitions },
  { rule: 'deletion-revision', validate: validateDeletionRevision },
  { rule: 'error-last', validate: validateErrorLast },
  { rule: 'bookmark-order', validate: validateBookmarkOrder },
  { rule: 'prefix-isolation', validate: validatePrefix },
  { rule: 'initial-events', validate: validateInitialEvents },
];
