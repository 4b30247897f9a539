import { describe, expect, it } from '@jest/globals';
import type { KubeObject, ObjectMeta } from '@orrery/apimachinery';
import { dnsSubdomain } from './names.js';
import { validateMeta, validateMetaUpdate } from './object-meta.js';

const objectOf = (metadata: ObjectMeta, apiVersion = 'v1'): KubeObject => ({
  apiVersion,
  kind: 'X',
  metadata: { name: 'a', namespace: 'b', ...metadata },
});
const textsOf = (findings: readonly { field: string; message: string }[]): string[] =>
  findings.map(({ field, message }) => `${field}: ${message}`);
const BARE = 'name is neither a standard finalizer name nor is it fully qualified';

describe('metadata of built-in kinds', () => {
  it.each<{ name: string; metadata: ObjectMeta; apiVersion?: string; want: string[] }>([
    {
      name: 'standard and qualified finalizers',
      metadata: { finalizers: ['kubernetes', 'orphan', 'a.b/c'] },
      want: [],
    },
    {
      name: 'a finalizer of one word',
      metadata: { finalizers: ['mine'] },
      want: [`metadata.finalizers[0]: Invalid value: "mine": ${BARE}`],
    },
    {
      name: 'a finalizer of one word of a definition',
      metadata: { finalizers: ['customresourcecleanup.apiextensions.k8s.io'] },
      apiVersion: 'apiextensions.k8s.io/v1',
      want: [],
    },
    {
      name: 'an owner without a name',
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: 'u' }] },
      want: ['metadata.ownerReferences.name: Invalid value: "": must not be empty'],
    },
    {
      name: 'an owner that comes and goes',
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'e', uid: 'u' }] },
      want: [
        'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"e","uid":"u"}: /v1, Kind=Event is disallowed from being an owner',
      ],
    },
    {
      name: 'a generation that counts down',
      metadata: { generation: -1 },
      want: ['metadata.generation: Invalid value: -1: must be greater than or equal to 0'],
    },
  ])('is judged as upstream does: $name', ({ metadata, apiVersion, want }) => {
    const object = objectOf(metadata, apiVersion);
    expect(textsOf(validateMeta(object, true, dnsSubdomain))).toEqual(want);
  });

  it('takes an update of thousands of finalizers in no time', () => {
    const finalizers = Array.from({ length: 40_000 }, (_, i) => `a.b/${i}`);
    const old = objectOf({ finalizers, deletionTimestamp: '2026-01-01T00:00:00Z' });
    const object = objectOf({
      finalizers: [...finalizers, 'a.b/new'],
      deletionTimestamp: '2026-01-01T00:00:00Z',
    });
    expect(textsOf(validateMetaUpdate(object, old))).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/new"}',
    ]);
  });
});
