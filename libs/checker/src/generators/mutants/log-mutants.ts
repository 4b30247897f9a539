import type { History } from '../../history/history.js';
import type { ObjectVersion } from '../../history/object-version.js';
import { pick } from '../seeded-random.js';
import type { Mutant } from './mutation.js';
import { before, isMaker, mapVersions, replaceOne } from './mutation.js';

const checker = 'revision-order';

/** Lies in the log, told to everybody alike. */
export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'revision left out',
    checker,
    rule: 'revision-gap',
    apply: ({ history, log, random }) => {
      const from = 2 + Math.floor(random.next() * (log.lastRv - 2));
      return shiftRevisions(history, (rv) => (rv >= from ? rv + 1 : rv));
    },
  },
  {
    name: 'wrong previous object',
    checker,
    rule: 'wrong-prev',
    apply: ({ history, random }) => {
      const events = replaceOne(random, history.events, (event) =>
        event.prev ? { ...event, prev: { ...event.prev, value: 'never-written' } } : undefined,
      );
      return events && { ...history, events };
    },
  },
  {
    name: 'uid changed without a delete',
    checker,
    rule: 'uid-changed',
    apply: ({ history, log, random }) => {
      const events = replaceOne(random, history.events, (event) => {
        const replaced = log.versionOf(event.key, event.rv)?.before?.object;
        if (!replaced || !event.object) return undefined;
        return { ...event, object: { ...event.object, uid: 'somebody-else' } };
      });
      return events && { ...history, events };
    },
  },
  {
    name: 'deleted object created again with its uid',
    checker,
    rule: 'resurrected',
    apply: ({ history, log, random }) => {
      const again = [...log.keys()].flatMap((key) =>
        log.versions(key).flatMap(({ object, before: gone }) => {
          const old = gone && !gone.object ? gone.before?.object : undefined;
          return object && old ? [{ from: object.uid, to: old.uid }] : [];
        }),
      );
      const chosen = pick(random, again);
      if (!chosen) return undefined;
      const { from, to } = chosen;
      return mapVersions(history, (object) =>
        object.uid === from ? { ...object, uid: to } : object,
      );
    },
  },
  {
    name: 'write of nothing made a revision',
    checker,
    rule: 'no-op-wrote',
    apply: (victim) => {
      const { history, random } = victim;
      const updates = history.operations.filter(
        (item) => item.f === 'update' && isMaker(item, victim) && before(item, victim),
      );
      const chosen = pick(random, updates);
      const old = chosen && before(chosen, victim);
      if (!old) return undefined;
      const { value, labels } = old;
      const repeat = (object: ObjectVersion): ObjectVersion => {
        if (object.key !== chosen.key || object.rv !== chosen.rv) return object;
        const { labels: _labels, ...rest } = object;
        return { ...rest, value, ...(labels ? { labels } : {}) };
      };
      const { labels: _labels, ...args } = chosen.args;
      const changed = mapVersions(history, repeat);
      const operations = changed.operations.map((item) =>
        item.id === chosen.id ? { ...item, args: { ...args, value } } : item,
      );
      return { ...changed, operations };
    },
  },
  {
    name: 'event that nobody made',
    checker,
    rule: 'unexplained-event',
    apply: ({ history, log, random }) => {
      const key =
        pick(
          random,
          history.operations.filter(({ f }) => f === 'create'),
        )?.key ?? '';
      const rv = log.lastRv + 1;
      const uid = log.objectAt(key, log.lastRv)?.uid ?? 'nobody';
      const object = { key, uid, rv, value: 'of-nobody' };
      return { ...history, events: [...history.events, { rv, key, type: 'put', object }] };
    },
  },
];

function shiftRevisions(history: History, shift: (rv: number) => number): History {
  const moved = mapVersions(history, (object) => ({ ...object, rv: shift(object.rv) }));
  const optional = (rv: number | undefined): { rv?: number } =>
    rv === undefined ? {} : { rv: shift(rv) };
  return {
    ...moved,
    operations: moved.operations.map((operation) => ({
      ...operation,
      ...optional(operation.rv),
      args: { ...operation.args, ...optional(operation.args.rv) },
    })),
    events: moved.events.map((event) => ({ ...event, rv: shift(event.rv) })),
    watches: moved.watches.map(({ drainedTo, ...watch }) => ({
      ...watch,
      ...optional(watch.rv),
      ...(drainedTo === undefined ? {} : { drainedTo: shift(drainedTo) }),
      responses: watch.responses.map((response) =>
        response.type === 'BOOKMARK' ? { ...response, rv: shift(response.rv) } : response,
      ),
    })),
    informers: moved.informers.map((informer) => ({
      ...informer,
      steps: informer.steps.map((step) =>
        step.type === 'change' ? step : { ...step, rv: shift(step.rv) },
      ),
    })),
  };
}
