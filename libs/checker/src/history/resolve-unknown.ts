import type { History } from './history.js';
import type { LogEvent } from './log-event.js';
import type { LogIndex, Version } from './log-index.js';
import type { ObjectVersion } from './object-version.js';
import { canonicalLabels } from './object-version.js';
import type { Operation } from './operation.js';
import { endOf, isWrite } from './operation.js';

/** The operations of a history after the log was asked what became of the unknown writes. */
export interface ResolvedOperations {
  /** Resolved writes have outcome ok and `resolved`; writes proven never to have happened are left out. */
  readonly operations: readonly Operation[];
  /** Which operation made which event. */
  readonly makers: ReadonlyMap<LogEvent, Operation>;
  readonly applied: number;
  readonly never: number;
  /** Still unknown, because the log may have ended too early. */
  readonly open: number;
}

/**
 * Finds for every write the event it made: answered writes by their revision, the others (unknown ones, and deletes that
 * were answered without a revision) by key and value, those that had to be finished first before the others.
 */
export function resolveOperations(history: History, log: LogIndex): ResolvedOperations {
  const makers = new Map<LogEvent, Operation>();
  const searching = new Map<string, Operation[]>();
  for (const operation of [...history.operations].sort((a, b) => a.call - b.call)) {
    if (!isWrite(operation.f) || operation.outcome === 'fail') continue;
    if (operation.rv !== undefined) claimByRevision(operation, log, makers);
    else searching.set(operation.key, [...(searching.get(operation.key) ?? []), operation]);
  }
  const found = new Map<Operation, Version>();
  for (const [key, operations] of searching) matchKey(operations, log.versions(key), makers, found);
  return replaceFound(history, makers, found);
}

/** An update that changed nothing answers a revision another write made: the first caller made it. */
function claimByRevision(
  operation: Operation,
  log: LogIndex,
  makers: Map<LogEvent, Operation>,
): void {
  const version = log.versionOf(operation.key, operation.rv ?? 0);
  if (!version || makers.has(version.event)) return;
  if (version.event.type !== (operation.f === 'delete' ? 'delete' : 'put')) return;
  if (operation.f !== 'delete' && operation.args.rv === operation.rv) return;
  makers.set(version.event, operation);
}

function matchKey(
  operations: readonly Operation[],
  versions: readonly Version[],
  makers: Map<LogEvent, Operation>,
  found: Map<Operation, Version>,
): void {
  const open = [...operations].sort((a, b) => endOf(a) - endOf(b) || a.call - b.call);
  for (const version of versions) {
    if (open.length === 0) return;
    if (makers.has(version.event)) continue;
    const at = open.findIndex((operation) => mayHaveMade(operation, version));
    const operation = open[at];
    if (!operation) continue;
    open.splice(at, 1);
    makers.set(version.event, operation);
    found.set(operation, version);
  }
}

function mayHaveMade(operation: Operation, { event, object, before }: Version): boolean {
  const { f, args, call } = operation;
  const previous = before?.object;
  if (event.at !== undefined && event.at < call) return false;
  if (args.uid !== undefined && previous?.uid !== args.uid) return false;
  if (args.rv !== undefined && previous?.rv !== args.rv) return false;
  if (f === 'delete' || !object) return f === 'delete' && !object;
  return (f === 'create') === (previous === undefined) && isWhatItWrote(operation, object);
}

function isWhatItWrote({ args }: Operation, object: ObjectVersion): boolean {
  if (object.value !== args.value) return false;
  return !args.labels || canonicalLabels(args.labels) === canonicalLabels(object.labels);
}

function replaceFound(
  history: History,
  makers: Map<LogEvent, Operation>,
  found: ReadonlyMap<Operation, Version>,
): ResolvedOperations {
  const operations: Operation[] = [];
  let [applied, never, open] = [0, 0, 0];
  for (const operation of history.operations) {
    const version = found.get(operation);
    if (version) {
      const resolved = toResolved(operation, version);
      if (operation.outcome === 'unknown') applied++;
      makers.set(version.event, resolved);
      operations.push(resolved);
    } else if (operation.outcome !== 'unknown') operations.push(operation);
    else if (history.coverage.complete) never++;
    else if (isWrite(operation.f)) {
      open++;
      operations.push(operation);
    }
  }
  return { operations, makers, applied, never, open };
}

/** An unknown write that took effect ended, at the latest, when its event was seen. */
function toResolved(operation: Operation, version: Version): Operation {
  const object = version.object ?? version.before?.object;
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
