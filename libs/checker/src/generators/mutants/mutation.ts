import type { Random } from '@orrery/component';
import type { CheckerName } from '../../checkers/verdict.js';
import type { History } from '../../history/history.js';
import { LogIndex } from '../../history/log-index.js';
import type { ObjectVersion } from '../../history/object-version.js';
import type { Operation } from '../../history/operation.js';
import { freshnessOf, isWrite } from '../../history/operation.js';
import { resolveOperations } from '../../checkers/resolve-unknown.js';
import { isChange } from '../../history/watch-record.js';
import { pick } from '../seeded-random.js';

/** A legal history, with what a liar needs to know about it. */
export interface Victim {
  readonly history: History;
  readonly log: LogIndex;
  readonly random: Random;
  /** Recorded operations that made an event. */
  readonly makers: ReadonlySet<Operation>;
}

/** One lie: changes a legal history so that exactly one promise is broken. */
export interface Mutant {
  readonly name: string;
  /** Who must find it, and by which rule. */
  readonly checker: CheckerName;
  readonly rule: string;
  /** The changed history; undefined when this one gives no occasion for the lie. */
  readonly apply: (victim: Victim) => History | undefined;
}

export function createVictim(history: History, random: Random): Victim {
  const log = new LogIndex(history.events);
  const found = new Set([...resolveOperations(history, log).makers.values()].map(({ id }) => id));
  const makers = new Set(history.operations.filter(({ id }) => found.has(id)));
  return { history, log, random, makers };
}

/** Replaces one of the items that `change` has an answer for, chosen by chance. */
export function replaceOne<T>(
  random: Random,
  items: readonly T[],
  change: (item: T) => T | undefined,
): T[] | undefined {
  const candidates = items.flatMap((item, index) => {
    const changed = change(item);
    return changed === undefined ? [] : [{ index, changed }];
  });
  const chosen = pick(random, candidates);
  return chosen && items.map((item, index) => (index === chosen.index ? chosen.changed : item));
}

/** A mutant's body that changes one operation. */
export function changeOperation(
  change: (operation: Operation, victim: Victim) => Operation | undefined,
): Mutant['apply'] {
  return (victim) => {
    const { history, random } = victim;
    const operations = replaceOne(random, history.operations, (item) => change(item, victim));
    return operations && { ...history, operations };
  };
}

/** An acknowledged write with an event of its own. */
export function isMaker(operation: Operation, { makers }: Victim): boolean {
  return operation.outcome === 'ok' && operation.rv !== undefined && makers.has(operation);
}

/** What stood at the key before the write. */
export function before({ key, rv = 0 }: Operation, { log }: Victim): ObjectVersion | undefined {
  return log.versionOf(key, rv)?.before?.object;
}

export function isConsistentRead(operation: Operation): boolean {
  return (
    !isWrite(operation.f) &&
    operation.outcome === 'ok' &&
    freshnessOf(operation).kind === 'consistent'
  );
}

/** The highest revision acknowledged before the call. */
export function acknowledgedBefore({ history }: Victim, time: number): number {
  let highest = 0;
  for (const { ret, rv, f } of history.operations)
    if (isWrite(f) && ret !== null && ret < time && rv !== undefined && rv > highest) highest = rv;
  return highest;
}

/** Changes versions of objects wherever anybody saw them. */
export function mapVersions(
  history: History,
  change: (object: ObjectVersion) => ObjectVersion,
): History {
  const optional = (object: ObjectVersion | undefined): { object?: ObjectVersion } =>
    object ? { object: change(object) } : {};
  return {
    ...history,
    operations: history.operations.map((operation) => {
      const { body } = operation;
      if (!body) return operation;
      const items = body.items ? { items: body.items.map(change) } : {};
      return { ...operation, body: { ...body, ...optional(body.object), ...items } };
    }),
    events: history.events.map((event) => ({
      ...event,
      ...optional(event.object),
      ...(event.prev ? { prev: change(event.prev) } : {}),
    })),
    watches: history.watches.map((watch) => ({
      ...watch,
      responses: watch.responses.map((response) =>
        isChange(response) ? { ...response, object: change(response.object) } : response,
      ),
    })),
    informers: history.informers.map((informer) => ({
      ...informer,
      store: informer.store.map(change),
      steps: informer.steps.map((step) => {
        if (step.type === 'replace') return { ...step, items: step.items.map(change) };
        return step.type === 'change' ? { ...step, object: change(step.object) } : step;
      }),
    })),
  };
}
