import type { Operation } from '../../history/operation.js';
import type { Mutant, Victim } from './mutation.js';
import { acknowledgedBefore, changeOperation, isConsistentRead } from './mutation.js';

const checker = 'revision-order';

function isWholeList(operation: Operation): boolean {
  return operation.f === 'list' && !operation.args.page && isConsistentRead(operation);
}

function isStillThere(operation: Operation, { log }: Victim): boolean {
  return log.versionAt(operation.key, operation.rv ?? 0)?.nextRv === Infinity;
}

/** Answers with the newest version of the key that was replaced before `rv`. */
function answerOlder(operation: Operation, rv: number, { log }: Victim): Operation | undefined {
  const object = log.versions(operation.key).findLast((v) => v.object && v.nextRv <= rv)?.object;
  return object && { ...operation, rv: object.rv, body: { object } };
}

/** Lies about gets and lists. */
export const READ_MUTANTS: readonly Mutant[] = [
  {
    name: 'stale read',
    checker,
    rule: 'stale-read',
    apply: changeOperation((operation, victim) =>
      operation.f === 'get' && isConsistentRead(operation)
        ? answerOlder(operation, acknowledgedBefore(victim, operation.call), victim)
        : undefined,
    ),
  },
  {
    name: 'read older than asked for',
    checker,
    rule: 'stale-read',
    apply: changeOperation((operation, victim) =>
      operation.f === 'get' && operation.outcome === 'ok' && (operation.args.rv ?? 0) > 0
        ? answerOlder(operation, operation.args.rv ?? 0, victim)
        : undefined,
    ),
  },
  {
    name: 'read of what is not written yet',
    checker,
    rule: 'answer-from-the-future',
    apply: changeOperation((operation, { log, history }) => {
      if (operation.f !== 'get' || !isConsistentRead(operation)) return undefined;
      const later = history.operations.find(
        ({ f, key, call, outcome, rv = 0 }) =>
          key === operation.key &&
          (f === 'update' || f === 'create') &&
          outcome === 'ok' &&
          call > (operation.ret ?? Infinity) &&
          rv > (operation.rv ?? 0),
      );
      const object = log.objectAt(operation.key, later?.rv ?? 0);
      return object && later && { ...operation, rv: object.rv, body: { object } };
    }),
  },
  {
    name: 'resurrected object read',
    checker,
    rule: 'stale-read',
    apply: changeOperation((operation, victim) => {
      const { f, reason, key, call } = operation;
      if (f !== 'get' || reason !== 'NotFound' || operation.args.rv !== undefined) return undefined;
      const floor = acknowledgedBefore(victim, call);
      const gone = victim.log.versions(key).findLast((v) => !v.object && v.rv <= floor);
      const object = gone?.before?.object;
      const { reason: _reason, ...rest } = operation;
      return object && { ...rest, outcome: 'ok', rv: object.rv, body: { object } };
    }),
  },
  {
    name: 'another uid read',
    checker,
    rule: 'read-not-in-log',
    apply: changeOperation((operation) => {
      const object = operation.body?.object;
      if (operation.f !== 'get' || !object) return undefined;
      return { ...operation, body: { object: { ...object, uid: 'somebody-else' } } };
    }),
  },
  {
    name: 'existing object not found',
    checker,
    rule: 'false-refusal',
    apply: changeOperation((operation, victim) => {
      if (operation.f !== 'get' || !isConsistentRead(operation) || !isStillThere(operation, victim))
        return undefined;
      if ((operation.rv ?? 0) > acknowledgedBefore(victim, operation.call)) return undefined;
      const { rv: _rv, body: _body, ...rest } = operation;
      return { ...rest, outcome: 'fail', reason: 'NotFound' };
    }),
  },
  {
    name: 'past revision called too large',
    checker,
    rule: 'false-refusal',
    apply: changeOperation((operation, victim) => {
      if (operation.f !== 'list' || acknowledgedBefore(victim, operation.call) < 2)
        return undefined;
      const { rv: _rv, body: _body, ...rest } = operation;
      return { ...rest, args: { rv: 1 }, outcome: 'fail', reason: 'ResourceVersionTooLarge' };
    }),
  },
  {
    name: 'stale list',
    checker,
    rule: 'stale-list',
    apply: changeOperation((operation, victim) => {
      const rv = acknowledgedBefore(victim, operation.call) - 1;
      if (!isWholeList(operation) || rv < 1) return undefined;
      const items = victim.log.snapshot(operation.key, rv, operation.args.selector);
      return { ...operation, rv, body: { items } };
    }),
  },
  {
    name: 'list with a revision of the future',
    checker,
    rule: 'future-revision',
    apply: changeOperation((operation, { log }) =>
      isWholeList(operation) ? { ...operation, rv: log.lastRv + 10 } : undefined,
    ),
  },
  {
    name: 'list that leaves one out',
    checker,
    rule: 'list-not-a-snapshot',
    apply: changeOperation((operation) => {
      const items = operation.body?.items ?? [];
      if (!isWholeList(operation) || items.length === 0) return undefined;
      return { ...operation, body: { items: items.slice(1) } };
    }),
  },
  {
    name: 'torn list page',
    checker,
    rule: 'torn-list',
    apply: changeOperation((operation, { log }) => {
      const { page } = operation.args;
      const items = operation.body?.items ?? [];
      if (!page || page.index === 0) return undefined;
      const newer = items.map((item) => log.objectAt(item.key, item.rv + 10) ?? item);
      if (newer.every((item, i) => item.rv === items[i]?.rv)) return undefined;
      return { ...operation, body: { ...operation.body, items: newer } };
    }),
  },
  {
    name: 'list page of another revision',
    checker,
    rule: 'torn-list',
    apply: changeOperation((operation) =>
      (operation.args.page?.index ?? 0) > 0
        ? { ...operation, rv: (operation.rv ?? 0) + 1 }
        : undefined,
    ),
  },
];
