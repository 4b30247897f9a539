import type { History } from '../history/history.js';
import type { LogEvent } from '../history/log-event.js';
import type { LogIndex, Version } from '../history/log-index.js';
import type { Operation } from '../history/operation.js';
import { isWrite } from '../history/operation.js';
import { RevisionBounds, WriteMatcher } from './match-writes.js';

/** The operations of a history after the log was asked what became of the unknown writes. */
export interface ResolvedOperations {
  /**
   * Resolved writes have outcome ok and `resolved`; writes proven never to have happened are left out; those that may have
   * made one of several events, or none, stay as they were recorded.
   */
  readonly operations: readonly Operation[];
  /** Which operation made which event; among writes without a revision, one possible answer. */
  readonly makers: ReadonlyMap<LogEvent, Operation>;
  readonly applied: number;
  readonly never: number;
  /** Still unknown: others may have made the same event, or the log may have ended too early. */
  readonly open: number;
}

/**
 * Finds for every write the event it made: answered writes by their revision, the others (unknown ones, and deletes that
 * were answered without a revision) by key and value, within what the answered revisions leave possible.
 */
export function resolveOperations(history: History, log: LogIndex): ResolvedOperations {
  const makers = new Map<LogEvent, Operation>();
  const { answered, searching } = sortWrites(history);
  const firstCalls = findFirstCalls([...searching.values()].flat());
  const doubtful = answered.filter(
    (operation) => !claimEvent(operation, { log, makers, firstCalls }),
  );
  const found = findEvents(history, { log, makers, searching });
  for (const operation of doubtful) claimEvent(operation, { log, makers, firstCalls: new Map() });
  return replaceFound(history, makers, found);
}

interface Search {
  readonly log: LogIndex;
  readonly makers: Map<LogEvent, Operation>;
  /** Writes whose revision is not known, by key. */
  readonly searching: ReadonlyMap<string, readonly Operation[]>;
}

function sortWrites({ operations }: History): {
  readonly answered: readonly Operation[];
  readonly searching: ReadonlyMap<string, readonly Operation[]>;
} {
  const answered: Operation[] = [];
  const searching = new Map<string, Operation[]>();
  for (const operation of operations) {
    if (!isWrite(operation.f) || operation.outcome === 'fail') continue;
    const own = searching.get(operation.key);
    if (operation.rv !== undefined) answered.push(operation);
    else if (own) own.push(operation);
    else searching.set(operation.key, [operation]);
  }
  return { answered: answered.sort((a, b) => a.call - b.call), searching };
}

interface Claim {
  readonly log: LogIndex;
  readonly makers: Map<LogEvent, Operation>;
  /** When each value was first written by a write whose revision is not known. */
  readonly firstCalls: ReadonlyMap<string, number>;
}

function writeId({ key, args }: Operation): string {
  return `${key} ${args.value ?? ''}`;
}

function findFirstCalls(operations: readonly Operation[]): Map<string, number> {
  const firstCalls = new Map<string, number>();
  for (const operation of operations) {
    const id = writeId(operation);
    firstCalls.set(id, Math.min(operation.call, firstCalls.get(id) ?? Infinity));
  }
  return firstCalls;
}

/**
 * Gives an answered write the event of its revision. An update that changed nothing answers a revision another write made: the
 * first caller made it, and one that may have repeated the value of an unknown write waits until that one was looked for.
 */
function claimEvent(operation: Operation, { log, makers, firstCalls }: Claim): boolean {
  const { f, key, rv = 0, args, call } = operation;
  const event = log.versionOf(key, rv)?.event;
  if (!event || makers.has(event)) return true;
  if (event.type !== (f === 'delete' ? 'delete' : 'put')) return true;
  if (f !== 'delete' && args.rv === rv) return true;
  const isRepeat =
    (f === 'update' || f === 'patch') && (firstCalls.get(writeId(operation)) ?? Infinity) < call;
  if (isRepeat) return false;
  makers.set(event, operation);
  return true;
}

interface Found {
  readonly certain: Map<Operation, Version>;
  readonly without: Set<Operation>;
}

function findEvents(history: History, { log, makers, searching }: Search): Found {
  const found: Found = { certain: new Map(), without: new Set() };
  if (searching.size === 0) return found;
  const open = new Set([...searching.values()].flat());
  const known = history.operations.filter((operation) => !open.has(operation));
  const bounds = new RevisionBounds(known, { log, makers, isComplete: false });
  const matcher = new WriteMatcher(log, bounds, (event) => makers.has(event));
  for (const operations of searching.values()) {
    const matches = matcher.match(operations);
    for (const [version, operation] of matches.makers) makers.set(version.event, operation);
    for (const [operation, version] of matches.certain) found.certain.set(operation, version);
    for (const operation of matches.without) found.without.add(operation);
  }
  return found;
}

function replaceFound(
  history: History,
  makers: Map<LogEvent, Operation>,
  { certain, without }: Found,
): ResolvedOperations {
  const operations: Operation[] = [];
  let [applied, never, open] = [0, 0, 0];
  for (const operation of history.operations) {
    const version = certain.get(operation);
    if (version) {
      const resolved = toResolved(operation, version);
      if (operation.outcome === 'unknown') applied++;
      makers.set(version.event, resolved);
      operations.push(resolved);
    } else if (operation.outcome !== 'unknown') operations.push(operation);
    else if (history.coverage.complete && without.has(operation)) never++;
    else if (isWrite(operation.f)) {
      open++;
      operations.push(operation);
    }
  }
  return { operations, makers, applied, never, open };
}

/** An unknown write that took effect ended, at the latest, when its event was seen. */
function toResolved(operation: Operation, version: Version): Operation {
  const { object } = version;
  const body = operation.body ?? (object ? { object } : undefined);
  return {
    ...operation,
    outcome: 'ok',
    ret: operation.ret ?? version.event.at ?? null,
    rv: version.rv,
    ...(body ? { body } : {}),
    resolved: true,
  };
}
