import type { Operation } from '../../history/operation.js';
import type { Mutant } from './mutation.js';
import { before, changeOperation, isMaker } from './mutation.js';

const checker = 'revision-order';

function refused({ rv: _rv, body: _body, ...operation }: Operation): Operation {
  return { ...operation, outcome: 'fail', reason: 'TooManyRequests' };
}

/** Lies about writes. */
export const WRITE_MUTANTS: readonly Mutant[] = [
  {
    name: 'acknowledged write lost',
    checker,
    rule: 'lost-write',
    apply: ({ history, random, log }) => {
      const writes = history.operations.filter(
        ({ f, outcome, key, rv = 0 }) =>
          f === 'update' && outcome === 'ok' && log.versionOf(key, rv),
      );
      const lost = writes[Math.floor(random.next() * writes.length)];
      const events = history.events.filter(({ key, rv }) => key !== lost?.key || rv !== lost.rv);
      return lost && { ...history, events, coverage: { complete: true } };
    },
  },
  {
    name: 'two writes at one revision',
    checker,
    rule: 'duplicate-revision',
    apply: changeOperation((operation, victim) => {
      if (!isMaker(operation, victim) || operation.f === 'delete') return undefined;
      const other = [...victim.makers].find(
        ({ key, rv, outcome, call }) =>
          outcome === 'ok' && rv !== undefined && key !== operation.key && call > operation.call,
      );
      const object = operation.body?.object;
      if (other?.rv === undefined || !object) return undefined;
      return { ...operation, rv: other.rv, body: { object: { ...object, rv: other.rv } } };
    }),
  },
  {
    name: 'refused write took effect',
    checker,
    rule: 'failed-write-took-effect',
    apply: changeOperation((operation, victim) =>
      isMaker(operation, victim) && operation.f !== 'delete' ? refused(operation) : undefined,
    ),
  },
  {
    name: 'unknown turned into failed',
    checker,
    rule: 'failed-write-took-effect',
    apply: changeOperation((operation, { makers, history }) =>
      operation.outcome === 'unknown' && operation.f !== 'delete' && makers.has(operation)
        ? { ...refused(operation), ret: Math.max(...history.operations.map(({ call }) => call)) }
        : undefined,
    ),
  },
  {
    name: 'delete with another resourceVersion accepted',
    checker,
    rule: 'stale-precondition',
    apply: changeOperation((operation, victim) => {
      const object = before(operation, victim);
      if (operation.f !== 'delete' || !isMaker(operation, victim) || !object) return undefined;
      return { ...operation, args: { rv: object.rv + 1 } };
    }),
  },
  {
    name: 'delete with another uid accepted',
    checker,
    rule: 'stale-precondition',
    apply: changeOperation((operation, victim) =>
      operation.f === 'delete' && isMaker(operation, victim)
        ? { ...operation, args: { uid: 'somebody-else' } }
        : undefined,
    ),
  },
  {
    name: 'update with a stale resourceVersion accepted',
    checker,
    rule: 'stale-precondition',
    apply: changeOperation((operation, victim) => {
      const object = before(operation, victim);
      if (operation.f !== 'update' || !isMaker(operation, victim) || !object) return undefined;
      return { ...operation, args: { ...operation.args, rv: object.rv - 1 } };
    }),
  },
  {
    name: 'created twice',
    checker,
    rule: 'created-over-existing',
    apply: changeOperation((operation, victim) =>
      operation.f === 'update' && isMaker(operation, victim)
        ? { ...operation, f: 'create' }
        : undefined,
    ),
  },
  {
    name: 'updated what was not there',
    checker,
    rule: 'wrote-absent',
    apply: changeOperation((operation, victim) =>
      operation.f === 'create' && isMaker(operation, victim)
        ? { ...operation, f: 'update' }
        : undefined,
    ),
  },
  {
    name: 'another object answered to a write',
    checker,
    rule: 'wrong-answer',
    apply: changeOperation((operation, victim) => {
      const object = operation.body?.object;
      if (!object || !isMaker(operation, victim)) return undefined;
      return { ...operation, body: { object: { ...object, value: 'of-somebody-else' } } };
    }),
  },
  {
    name: 'later write with a lower revision',
    checker,
    rule: 'write-order',
    apply: (victim) => {
      const end = Math.max(...victim.history.operations.map(({ ret, call }) => ret ?? call));
      const later = (operation: Operation): Operation | undefined =>
        isMaker(operation, victim) && operation.rv !== victim.log.lastRv && operation.ret !== end
          ? { ...operation, call: end + 10, ret: end + 20 }
          : undefined;
      const moved = changeOperation(later)(victim);
      const events = victim.history.events.map(({ at: _at, ...event }) => event);
      return moved && { ...moved, events };
    },
  },
];
