import { describe, expect, it } from '@jest/globals';
import { FieldPath } from '../field-error.js';
import type { ObjectMeta } from '../object.js';
import { nameIsDnsSubdomain } from './names.js';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.js';

const path = FieldPath.of('metadata');
const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true };
const texts = (errors: readonly { field: string; message: string }[]): string[] =>
  errors.map((e) => `${e.field}: ${e.message}`);

describe('validateObjectMeta()', () => {
  it.each<{ name: string; meta: ObjectMeta; want: string[] }>([
    { name: 'a good one', meta: { name: 'a', namespace: 'b', labels: { c: 'd' } }, want: [] },
    {
      name: 'no name',
      meta: { namespace: 'b' },
      want: ['metadata.name: Required value: name or generateName is required'],
    },
    { name: 'no namespace', meta: { name: 'a' }, want: ['metadata.namespace: Required value'] },
    {
      name: 'two controllers',
      meta: { name: 'a', namespace: 'b', ownerReferences: [owner, { ...owner, name: 'q' }] },
      want: [expect.stringContaining('references for Pod/p and Pod/q') as unknown as string],
    },
    {
      name: 'a bare finalizer, which custom resources may have',
      meta: { name: 'a', namespace: 'b', finalizers: ['mine'] },
      want: [],
    },
    {
      name: 'owners that are all controllers, of which ten are told',
      meta: {
        name: 'a',
        namespace: 'b',
        ownerReferences: Array.from({ length: 5000 }, () => owner),
      },
      want: Array.from(
        { length: 2 },
        () => expect.stringContaining('references for Pod/p and Pod/p') as unknown as string,
      ),
    },
  ])('judges $name', ({ meta, want }) => {
    const rules = { namespaced: true, nameValidator: nameIsDnsSubdomain };
    expect(texts(validateObjectMeta(meta, rules, path))).toEqual(want);
  });

  it('refuses a namespace on cluster-scoped kinds', () => {
    const rules = { namespaced: false, nameValidator: nameIsDnsSubdomain };
    expect(texts(validateObjectMeta({ name: 'a', namespace: 'b' }, rules, path))).toEqual([
      'metadata.namespace: Forbidden: not allowed on this type',
    ]);
  });
});

describe('validateObjectMetaUpdate()', () => {
  const old: ObjectMeta = { name: 'a', uid: '1', resourceVersion: '5', generation: 2 };
  it.each<{ name: string; meta: ObjectMeta; old?: ObjectMeta; want: string[] }>([
    { name: 'no change', meta: old, want: [] },
    {
      name: 'another uid',
      meta: { ...old, uid: '2' },
      want: ['metadata.uid: Invalid value: "2": field is immutable'],
    },
    {
      name: 'no resource version',
      meta: { ...old, resourceVersion: '' },
      want: ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    },
    {
      name: 'a lower generation',
      meta: { ...old, generation: 1 },
      want: ['metadata.generation: Invalid value: 1: must not be decremented'],
    },
    {
      name: 'a finalizer that is no name',
      meta: { ...old, finalizers: ['a.b/c/d'] },
      want: [
        expect.stringContaining(
          'metadata.finalizers: Invalid value: "a.b/c/d"',
        ) as unknown as string,
      ],
    },
    {
      name: 'a generateName that is no part of a path',
      meta: { ...old, generateName: 'a/b' },
      want: [`metadata.generateName: Invalid value: "a/b": may not contain '/'`],
    },
    {
      name: 'a new finalizer while deleting',
      old: { ...old, deletionTimestamp: 'x' },
      meta: { ...old, deletionTimestamp: 'x', finalizers: ['a.b/c'] },
      want: [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/c"}',
      ],
    },
  ])('judges $name', ({ meta, old: before, want }) => {
    expect(texts(validateObjectMetaUpdate(meta, before ?? old, path))).toEqual(want);
  });
});
