import type { LogEvent } from '../history/log-event.js';
import type { LogIndex } from '../history/log-index.js';
import type { ObjectVersion } from '../history/object-version.js';
import { isSameContent } from '../history/object-version.js';
import type { Freshness, Operation } from '../history/operation.js';
import { freshnessOf, isWrite } from '../history/operation.js';

export interface PlacementContext {
  readonly log: LogIndex;
  readonly makers: ReadonlyMap<LogEvent, Operation>;
  /** Nothing was written after the log's last event. */
  readonly isComplete: boolean;
}

/** The earliest revision at which the operation can have happened, or why there is none. */
export type Placement =
  { readonly rv: number } | { readonly rule: string; readonly message: string };

/** Places one operation not before `floor`, the revision reached when it was called. */
export function placeOperation(
  operation: Operation,
  floor: number,
  context: PlacementContext,
): Placement {
  if (operation.outcome === 'unknown') return { rv: 0 };
  if (operation.outcome === 'fail') return placeRefusal(operation, floor, context);
  if (isWrite(operation.f)) return placeWrite(operation, floor, context);
  const least = leastRevision(freshnessOf(operation), floor);
  return operation.f === 'get'
    ? placeGet(operation, least, context)
    : placeList(operation, least, context);
}

function leastRevision(freshness: Freshness, floor: number): number {
  if (freshness.kind === 'consistent') return floor;
  return freshness.kind === 'any' ? 0 : freshness.rv;
}

function placeWrite(operation: Operation, floor: number, context: PlacementContext): Placement {
  const { key, rv } = operation;
  const version = rv === undefined ? undefined : context.log.versionOf(key, rv);
  if (rv === undefined || !version) return { rv: floor };
  if (context.makers.get(version.event) !== operation)
    return placeVersion(version, floor, 'stale-no-op');
  if (rv > floor) return { rv };
  return {
    rule: 'write-order',
    message: `made revision ${rv}, but revision ${floor} had been reached before it was called`,
  };
}

function placeVersion(
  { rv, nextRv }: { readonly rv: number; readonly nextRv: number },
  least: number,
  rule: string,
): Placement {
  if (nextRv > least) return { rv: Math.max(rv, least) };
  return {
    rule,
    message: `answered the version of revision ${rv}, replaced at ${nextRv}; ${least} was the least it could show`,
  };
}

function placeGet(operation: Operation, least: number, { log }: PlacementContext): Placement {
  const object = operation.body?.object;
  if (!object) return { rule: 'bad-record', message: 'a get without its object' };
  const version = log.versionOf(operation.key, object.rv);
  if (!version?.object || !isSameContent(version.object, object))
    return {
      rule: 'read-not-in-log',
      message: `answered ${object.value} (uid ${object.uid}) at revision ${object.rv}; the log has ${version?.object?.value ?? 'no such version'}`,
    };
  return placeVersion(version, least, 'stale-read');
}

function placeList(operation: Operation, least: number, context: PlacementContext): Placement {
  const { key, rv, args } = operation;
  if (rv === undefined) return { rule: 'bad-record', message: 'a list without its revision' };
  if (args.page && args.page.index > 0) return { rv };
  const exact = freshnessOf(operation).kind === 'exact';
  if (rv < least || (exact && rv !== least))
    return {
      rule: 'stale-list',
      message: `is of revision ${rv}; ${exact ? 'it was to be exactly' : 'the least it could show was'} ${least}`,
    };
  if (context.isComplete && rv > context.log.lastRv)
    return {
      rule: 'future-revision',
      message: `is of revision ${rv}, and the store never got further than ${context.log.lastRv}`,
    };
  if (args.page) return { rv };
  const difference = describeDifference(
    operation.body?.items ?? [],
    context.log.snapshot(key, rv, args.selector),
  );
  return difference === undefined
    ? { rv }
    : { rule: 'list-not-a-snapshot', message: `at revision ${rv}: ${difference}` };
}

/** The first difference between what was listed and what there was; undefined when there is none. */
export function describeDifference(
  listed: readonly ObjectVersion[],
  real: readonly ObjectVersion[],
): string | undefined {
  const expected = new Map(real.map((item) => [item.key, item]));
  for (const item of listed) {
    const object = expected.get(item.key);
    expected.delete(item.key);
    if (!object) return `${item.key} is listed and was not there`;
    if (object.rv !== item.rv || !isSameContent(object, item))
      return `${item.key} is listed as of ${item.rv}, it was of ${object.rv}`;
  }
  const [missing] = expected.keys();
  return missing === undefined ? undefined : `${missing} is not listed`;
}

function placeRefusal(operation: Operation, floor: number, { log }: PlacementContext): Placement {
  const { f, key, args, reason } = operation;
  const least = isWrite(f) ? floor : leastRevision(freshnessOf(operation), floor);
  if (reason === 'ResourceVersionTooLarge' || reason === 'TooLargeResourceVersion')
    return args.rv !== undefined && args.rv > floor
      ? { rv: floor }
      : {
          rule: 'false-refusal',
          message: `revision ${args.rv} is no more in the future: ${floor} had been reached`,
        };
  const passes = refusalHolds(operation);
  if (!passes) return { rv: isWrite(f) ? floor : 0 };
  const rv = log.firstWhere(key, least, passes);
  return rv < Infinity
    ? { rv }
    : { rule: 'false-refusal', message: `${reason} was not true at ${least} or later` };
}

/** When the refusal is a true answer; undefined when it says nothing about the object. */
function refusalHolds({
  f,
  args,
  reason,
}: Operation): ((object: ObjectVersion | undefined) => boolean) | undefined {
  if (f === 'list') return undefined;
  if (reason === 'NotFound' && f !== 'create') return (object) => object === undefined;
  if (reason === 'AlreadyExists') return (object) => object !== undefined;
  if (reason !== 'Conflict' || (args.rv === undefined && args.uid === undefined)) return undefined;
  return (object) =>
    object === undefined ||
    (args.rv !== undefined && object.rv !== args.rv) ||
    (args.uid !== undefined && object.uid !== args.uid);
}
