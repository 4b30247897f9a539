import { isSameContent, isSelected } from '../../history/object-version.js';
import type { Delivered, Problem, WatchContext, WatchValidator } from './watch-context.js';
import { eventId, indexEvents } from './watch-context.js';

function problem(
  { rv, key }: { readonly rv: number; readonly key: string },
  text: string,
): Problem {
  return { message: `${key} at revision ${rv} ${text}`, rv, key };
}

/** Neighbours in the stream. */
function pairs(live: readonly Delivered[]): [Delivered, Delivered][] {
  return live.slice(1).flatMap((after, i) => {
    const before = live[i];
    return before ? [[before, after] as [Delivered, Delivered]] : [];
  });
}

/** Nothing that the selector does not select. */
function validateFilter({ watch, delivered }: WatchContext): Problem[] {
  return delivered
    .filter(({ change }) => !isSelected(watch.selector, change.object.labels))
    .map((event) => problem(event, 'does not match the selector'));
}

/** Revisions never go back. */
function validateOrdered({ live }: WatchContext): Problem[] {
  return pairs(live)
    .filter(([before, after]) => after.rv < before.rv)
    .map(([before, after]) => problem(after, `came after revision ${before.rv}`));
}

/** No event twice. */
function validateUnique({ live }: WatchContext): Problem[] {
  const seen = new Set<string>();
  return live.flatMap((event) => {
    const id = eventId(event);
    if (seen.has(id)) return [problem(event, 'came twice')];
    seen.add(id);
    return [];
  });
}

/** The events of one revision come together. */
function validateAtomic({ live }: WatchContext): Problem[] {
  const closed = new Set<number>();
  const problems: Problem[] = [];
  for (const [before, after] of pairs(live)) {
    if (before.rv === after.rv) continue;
    closed.add(before.rv);
    if (closed.has(after.rv)) problems.push(problem(after, 'came apart from its revision'));
  }
  return problems;
}

/** Nothing is left out after the first event delivered. */
function validateReliable(context: WatchContext): Problem[] {
  const first = context.live[0]?.rv ?? Infinity;
  return missing(context)
    .filter(({ rv }) => rv >= first)
    .map((event) =>
      problem(event, 'was not delivered, though later ones or a later bookmark were'),
    );
}

/** A watch from a revision delivers the first event after it, and none before. */
function validateResumable(context: WatchContext): Problem[] {
  const { from, live } = context;
  if (from === undefined) return [];
  const first = live[0]?.rv ?? Infinity;
  const skipped = missing(context).filter(({ rv }) => rv < first);
  return [
    ...skipped.slice(0, 1).map((event) => problem(event, `was skipped by a watch from ${from}`)),
    ...live.filter(({ rv }) => rv <= from).map((event) => problem(event, `is not after ${from}`)),
  ];
}

function missing({ expected, live, horizon }: WatchContext): { rv: number; key: string }[] {
  const delivered = indexEvents(live);
  return expected.filter((event) => event.rv <= horizon && !delivered.has(eventId(event)));
}

/** After a bookmark comes nothing at or below its revision. */
function validateBookmarkable({ watch, live }: WatchContext): Problem[] {
  const problems: Problem[] = [];
  let [next, bookmark] = [0, 0];
  for (const [index, response] of watch.responses.entries()) {
    if (response.type === 'BOOKMARK') bookmark = Math.max(bookmark, response.rv);
    const event = live[next];
    if (event?.index !== index) continue;
    next++;
    if (event.rv <= bookmark) problems.push(problem(event, `came after the bookmark ${bookmark}`));
  }
  return problems;
}

/** A DELETED carries the last state that matched. */
function validatePrevious({ live, expected }: WatchContext): Problem[] {
  const byId = indexEvents(expected);
  return live.flatMap((event) => {
    const want = byId.get(eventId(event));
    if (event.change.type !== 'DELETED' || want?.type !== 'DELETED') return [];
    if (isSameContent(event.change.object, want.object)) return [];
    return [problem(event, 'is DELETED with another object than the last one that matched')];
  });
}

/** ADDED for what was created, MODIFIED for what was there. */
function validateIsCreate({ live, expected }: WatchContext): Problem[] {
  const byId = indexEvents(expected);
  return live.flatMap((event) => {
    const want = byId.get(eventId(event));
    if (!want || want.byTransition || want.type === event.change.type) return [];
    return [problem(event, `is ${event.change.type}, it had to be ${want.type}`)];
  });
}

/** The nine that etcd's own robustness tests check (etcd tests/robustness/validate/watch.go), in its order. */
export const ETCD_VALIDATORS: readonly WatchValidator[] = [
  { rule: 'filter', validate: validateFilter },
  { rule: 'ordered', validate: validateOrdered },
  { rule: 'unique', validate: validateUnique },
  { rule: 'atomic', validate: validateAtomic },
  { rule: 'reliable', validate: validateReliable },
  { rule: 'resumable', validate: validateResumable },
  { rule: 'bookmarkable', validate: validateBookmarkable },
  { rule: 'previous', validate: validatePrevious },
  { rule: 'is-create', validate: validateIsCreate },
];
