import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import {
  blocking,
  decideGarbage,
  isOrphaning,
  isWaiting,
  releasedOwners,
  unblockedReferences,
} from './gc.decide.js';
import type { GcAction, OwnedBy, OwnerState } from './gc.decide.js';

const owner = (state: OwnerState): OwnedBy => ({
  state,
  reference: { apiVersion: 'v1', kind: 'ConfigMap', name: state, uid: `uid-${state}` },
});

const object = (finalizers: string[] = [], deleted = false): KubeObject => ({
  metadata: { name: 'o', finalizers, ...(deleted ? { deletionTimestamp: 'now' } : {}) },
});

interface Case {
  readonly name: string;
  readonly owners: readonly OwnerState[];
  readonly finalizers?: string[];
  readonly hasDependents?: boolean;
  readonly want: GcAction;
}

const KEEP: GcAction = { type: 'keep' };
const remove = (policy: 'Background' | 'Foreground' | 'Orphan'): GcAction => ({
  type: 'delete',
  policy,
});

describe('decideGarbage()', () => {
  it.each<Case>([
    { name: 'keeps what nobody owns', owners: [], want: KEEP },
    { name: 'keeps what somebody owns', owners: ['solid'], want: KEEP },
    { name: 'deletes what lost its only owner', owners: ['absent'], want: remove('Background') },
    {
      name: 'keeps what may have an owner that it cannot see',
      owners: ['absent', 'unresolvable'],
      want: KEEP,
    },
    {
      name: 'takes absent owners from what another owns',
      owners: ['solid', 'absent'],
      want: { type: 'disown', uids: ['uid-absent'] },
    },
    {
      name: 'takes owners that wait for it, too',
      owners: ['solid', 'waiting', 'absent'],
      want: { type: 'disown', uids: ['uid-waiting', 'uid-absent'] },
    },
    {
      name: 'deletes in the foreground what has dependents, when its owner waits',
      owners: ['waiting'],
      hasDependents: true,
      want: remove('Foreground'),
    },
    { name: 'deletes at once what has none', owners: ['waiting'], want: remove('Background') },
    {
      name: 'keeps to orphaning where that was asked',
      owners: ['absent'],
      finalizers: ['orphan'],
      want: remove('Orphan'),
    },
    {
      name: 'keeps to the foreground where that was asked',
      owners: ['absent'],
      finalizers: ['foregroundDeletion'],
      want: remove('Foreground'),
    },
  ])('$name', ({ owners, finalizers = [], hasDependents = false, want }) => {
    expect(decideGarbage(object(finalizers), owners.map(owner), hasDependents)).toEqual(want);
  });
});

describe('what an object that is being deleted waits for', () => {
  it.each([
    { name: 'its dependents', finalizers: ['foregroundDeletion'], waiting: true, orphaning: false },
    { name: 'their orphaning', finalizers: ['orphan'], waiting: false, orphaning: true },
    { name: 'others', finalizers: ['x/y'], waiting: false, orphaning: false },
  ])('$name', ({ finalizers, waiting, orphaning }) => {
    const deleted = object(finalizers, true);
    expect([isWaiting(deleted), isOrphaning(deleted)]).toEqual([waiting, orphaning]);
    expect([isWaiting(object(finalizers)), isOrphaning(object(finalizers))]).toEqual([
      false,
      false,
    ]);
  });
});

describe('a circle of owners', () => {
  const reference = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'a' };
  const held = {
    ...object(),
    metadata: { ownerReferences: [{ ...reference, blockOwnerDeletion: true }] },
  };
  const free = {
    ...object(),
    metadata: { ownerReferences: [{ ...reference, blockOwnerDeletion: false }] },
  };
  const waiting = object(['foregroundDeletion'], true);

  it('is opened by an object whose dependents wait already', () => {
    expect(unblockedReferences(held, [object(), waiting])).toEqual(free.metadata.ownerReferences);
    expect(unblockedReferences(held, [object()])).toBeUndefined();
    expect(unblockedReferences(free, [waiting])).toBeUndefined();
  });

  it('tells the owners that are held back no more', () => {
    expect(releasedOwners(held, free).map(({ uid }) => uid)).toEqual(['a']);
    expect(releasedOwners(held, object()).map(({ uid }) => uid)).toEqual(['a']);
    expect(releasedOwners(held, held)).toEqual([]);
    expect(releasedOwners(free, object())).toEqual([]);
  });
});

describe('blocking()', () => {
  it('names the dependents that say so of this owner', () => {
    const dependent = (name: string, uid: string, blockOwnerDeletion?: boolean): KubeObject => ({
      metadata: {
        name,
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'X',
            name: 'x',
            uid,
            ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
          },
        ],
      },
    });
    const all = [dependent('a', 'u', true), dependent('b', 'u'), dependent('c', 'v', true)];
    expect(blocking(all, 'u').map(({ metadata }) => metadata.name)).toEqual(['a']);
  });
});
