import type { ObjectVersion } from '../../history/object-version.js';
import { inScope, isSelected } from '../../history/object-version.js';
import type { WatchChange, WatchRecord, WatchResponse } from '../../history/watch-record.js';
import { isChange } from '../../history/watch-record.js';
import { pick } from '../seeded-random.js';
import type { Mutant, Victim } from './mutation.js';
import { replaceOne } from './mutation.js';

const checker = 'watch';

type Change = (
  responses: readonly WatchResponse[],
  watch: WatchRecord,
) => WatchResponse[] | undefined;

/** Changes the responses of one watch. */
function changeStream(change: (victim: Victim) => Change): Mutant['apply'] {
  return (victim) => {
    const { history, random } = victim;
    const changeOne = change(victim);
    const watches = replaceOne(random, history.watches, (watch) => {
      const responses = changeOne(watch.responses, watch);
      return responses && { ...watch, responses };
    });
    return watches && { ...history, watches };
  };
}

interface Place {
  readonly index: number;
  readonly change: WatchChange;
  readonly next: WatchChange | undefined;
  readonly isFirst: boolean;
}

/** The changes after the initial events, each with the change that follows. */
function livePlaces(responses: readonly WatchResponse[], watch: WatchRecord): Place[] {
  const start = watch.sendInitialEvents ? responses.findIndex(isInitialEnd) : 0;
  const places: Place[] = [];
  for (const [index, change] of responses.entries()) {
    if (index < start || !isChange(change)) continue;
    const next = responses.slice(index + 1).find(isChange);
    places.push({ index, change, next, isFirst: places.length === 0 });
  }
  return places;
}

function isInitialEnd(response: WatchResponse): boolean {
  return response.type === 'BOOKMARK' && response.initialEventsEnd === true;
}

/** Changes a stream at one of the live places that pass. */
function atPlace(
  passes: (place: Place) => boolean,
  edit: (responses: WatchResponse[], place: Place) => void,
): Mutant['apply'] {
  return changeStream(({ random }) => (responses, watch) => {
    const place = pick(random, livePlaces(responses, watch).filter(passes));
    if (!place) return undefined;
    const edited = [...responses];
    edit(edited, place);
    return edited;
  });
}

const isFollowed = ({ change, next }: Place): boolean =>
  next !== undefined && next.object.rv > change.object.rv;

function lie(object: Partial<WatchChange['object']>, type?: WatchChange['type']) {
  return (responses: WatchResponse[], { index, change }: Place): void => {
    responses[index] = {
      ...change,
      type: type ?? change.type,
      object: { ...change.object, ...object },
    };
  };
}

interface Stream {
  readonly responses: readonly WatchResponse[];
  readonly watch: WatchRecord;
}

/** Ends the stream, after its first change, with an object of the log that is none of its business. */
function showStranger(
  { log }: Victim,
  { responses, watch }: Stream,
  isStrange: (object: ObjectVersion) => boolean,
): WatchResponse[] | undefined {
  const [first] = livePlaces(responses, watch);
  const after = first?.change.object.rv ?? Infinity;
  const stranger = log.events.find(({ rv, object }) => object && rv > after && isStrange(object));
  if (!first || !stranger?.object) return undefined;
  return [...responses.slice(0, first.index + 1), { type: 'ADDED', object: stranger.object }];
}

/** Lies of watches. */
export const WATCH_MUTANTS: readonly Mutant[] = [
  {
    name: 'swapped events',
    checker,
    rule: 'ordered',
    apply: atPlace(isFollowed, (responses, { index, change, next }) => {
      if (!next) return;
      responses[responses.indexOf(next)] = change;
      responses[index] = next;
    }),
  },
  {
    name: 'event delivered twice',
    checker,
    rule: 'unique',
    apply: atPlace(
      () => true,
      (responses, { index, change }) => void responses.splice(index, 0, change),
    ),
  },
  {
    name: 'missing MODIFIED',
    checker,
    rule: 'reliable',
    apply: atPlace(
      (place) => place.change.type === 'MODIFIED' && isFollowed(place) && !place.isFirst,
      (responses, { index }) => void responses.splice(index, 1),
    ),
  },
  {
    name: 'missing DELETED',
    checker,
    rule: 'reliable',
    apply: atPlace(
      (place) => place.change.type === 'DELETED' && isFollowed(place) && !place.isFirst,
      (responses, { index }) => void responses.splice(index, 1),
    ),
  },
  {
    name: 'first event skipped on resume',
    checker,
    rule: 'resumable',
    apply: changeStream(() => (responses, watch) => {
      const [first] = livePlaces(responses, watch);
      if (watch.sendInitialEvents || !first || !isFollowed(first)) return undefined;
      return responses.filter((_, index) => index !== first.index);
    }),
  },
  {
    name: 'event after its bookmark',
    checker,
    rule: 'bookmarkable',
    apply: atPlace(
      () => true,
      (responses, { index, change }) =>
        void responses.splice(index, 0, { type: 'BOOKMARK', rv: change.object.rv }),
    ),
  },
  {
    name: 'split revision',
    checker,
    rule: 'atomic',
    apply: changeStream(() => (responses, watch) => {
      const places = livePlaces(responses, watch);
      const split = places.find(({ change, next }) => next?.object.rv === change.object.rv);
      const after = places.find(
        ({ change }) => change.object.rv > (split?.change.object.rv ?? Infinity),
      );
      if (!split || !after) return undefined;
      const edited = [...responses];
      edited.splice(after.index + 1, 0, split.change);
      edited.splice(split.index, 1);
      return edited;
    }),
  },
  {
    name: 'wrong last object in DELETED',
    checker,
    rule: 'previous',
    apply: atPlace(({ change }) => change.type === 'DELETED', lie({ value: 'never-written' })),
  },
  {
    name: 'DELETED with the revision of the last write',
    checker,
    rule: 'deletion-revision',
    apply: changeStream((victim) => (responses, watch) => {
      const place = livePlaces(responses, watch).find(({ change }) => {
        const version = victim.log.versionOf(change.object.key, change.object.rv);
        return change.type === 'DELETED' && version?.before && !version.before.before?.object;
      });
      const { key = '', rv = 0 } = place?.change.object ?? {};
      const last = victim.log.versionOf(key, rv)?.before?.object;
      if (!place || !last) return undefined;
      return responses.map((item) =>
        item === place.change ? { ...place.change, object: last } : item,
      );
    }),
  },
  {
    name: 'phantom ADDED',
    checker,
    rule: 'authentic',
    apply: atPlace(
      () => true,
      (responses, { index, change }) => {
        const object = { ...change.object, key: `${change.object.key}-phantom`, uid: 'nobody' };
        responses.splice(index, 0, { type: 'ADDED', object });
      },
    ),
  },
  {
    name: 'created object shown as MODIFIED',
    checker,
    rule: 'is-create',
    apply: changeStream(({ log }) => (responses, watch) => {
      const place = livePlaces(responses, watch).find(({ change: { type, object } }) => {
        const version = log.versionOf(object.key, object.rv);
        return type === 'ADDED' && !version?.before?.object;
      });
      if (!place) return undefined;
      return responses.map((item) =>
        item === place.change ? { ...place.change, type: 'MODIFIED' } : item,
      );
    }),
  },
  {
    name: 'end of a match shown as MODIFIED',
    checker,
    rule: 'selector-transition',
    apply: changeStream(({ log }) => (responses, watch) => {
      const place = livePlaces(responses, watch).find(
        ({ change: { type, object } }) =>
          type === 'DELETED' && log.versionOf(object.key, object.rv)?.object,
      );
      const { key = '', rv = 0 } = place?.change.object ?? {};
      const object = log.objectAt(key, rv);
      if (!place || !object) return undefined;
      return responses.map((item) => (item === place.change ? { type: 'MODIFIED', object } : item));
    }),
  },
  {
    name: 'event that does not match the selector',
    checker,
    rule: 'filter',
    apply: changeStream(
      (victim) => (responses, watch) =>
        showStranger(victim, { responses, watch }, ({ key, labels }) => {
          return inScope(watch.scope, key) && !isSelected(watch.selector, labels);
        }),
    ),
  },
  {
    name: 'watch that crosses its prefix',
    checker,
    rule: 'prefix-isolation',
    apply: changeStream(
      (victim) => (responses, watch) =>
        watch.scope.endsWith('/ns1')
          ? showStranger(victim, { responses, watch }, ({ key }) => !inScope(watch.scope, key))
          : undefined,
    ),
  },
  {
    name: 'no bookmark after the initial events',
    checker,
    rule: 'initial-events',
    apply: changeStream(
      () => (responses, watch) =>
        watch.sendInitialEvents && watch.drainedTo !== undefined
          ? responses.filter(({ type }) => type !== 'BOOKMARK')
          : undefined,
    ),
  },
  {
    name: 'initial state that leaves one out',
    checker,
    rule: 'initial-events',
    apply: changeStream(
      () => (responses, watch) =>
        watch.sendInitialEvents && responses[0]?.type === 'ADDED' ? responses.slice(1) : undefined,
    ),
  },
  {
    name: 'bookmark that goes back',
    checker,
    rule: 'bookmark-order',
    apply: changeStream(() => (responses) => {
      const last = responses.findLast(({ type }) => type === 'BOOKMARK');
      if (last?.type !== 'BOOKMARK') return undefined;
      return [...responses, { type: 'BOOKMARK', rv: last.rv - 1 }];
    }),
  },
  {
    name: 'events after ERROR',
    checker,
    rule: 'error-last',
    apply: atPlace(isFollowed, (responses, { index }) => {
      responses.splice(index + 1, 0, { type: 'ERROR', code: 410, reason: 'Expired' });
    }),
  },
  {
    name: 'ERROR without a Status',
    checker,
    rule: 'error-last',
    apply: changeStream(() => (responses) => [...responses, { type: 'ERROR' }]),
  },
];
