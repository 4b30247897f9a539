import type { ObjectVersion } from '../../history/object-version.js';
import { describeDifference } from '../placement.js';
import type { Problem, WatchContext } from './watch-context.js';

/**
 * With sendInitialEvents: everything up to the annotated bookmark, folded, is the state at the bookmark's revision, which is
 * not older than what was asked for; no other bookmark comes before it, and no second one.
 */
export function validateInitialEvents(context: WatchContext): readonly Problem[] {
  const { watch, initialEnd } = context;
  if (!watch.sendInitialEvents) return [];
  const firstBookmark = watch.responses.findIndex(({ type }) => type === 'BOOKMARK');
  if (initialEnd === undefined) {
    const promised = firstBookmark >= 0 || watch.drainedTo !== undefined;
    return promised ? [{ message: 'the bookmark that ends the initial events is missing' }] : [];
  }
  if (firstBookmark < initialEnd)
    return [{ message: 'a bookmark came before the end of the initial events' }];
  return [...checkState(context, initialEnd), ...checkRepeated(context, initialEnd)];
}

function checkRepeated({ watch }: WatchContext, initialEnd: number): Problem[] {
  return watch.responses
    .slice(initialEnd + 1)
    .filter((response) => response.type === 'BOOKMARK' && response.initialEventsEnd === true)
    .map(() => ({ message: 'the initial events ended twice' }));
}

function checkState({ watch, log, floor, delivered }: WatchContext, initialEnd: number): Problem[] {
  const bookmark = watch.responses[initialEnd];
  if (bookmark?.type !== 'BOOKMARK') return [];
  const { rv } = bookmark;
  const least = watch.rv ?? floor;
  if (rv < least) return [{ message: `initial state of revision ${rv}, older than ${least}`, rv }];
  const state = new Map<string, ObjectVersion>();
  for (const { index, change, key } of delivered) {
    if (index > initialEnd) break;
    if (change.type === 'DELETED') state.delete(key);
    else state.set(key, change.object);
  }
  const real = log.snapshot(watch.scope, rv, watch.selector);
  const difference = describeDifference([...state.values()], real);
  return difference === undefined ? [] : [{ message: `initial state at ${rv}: ${difference}`, rv }];
}
