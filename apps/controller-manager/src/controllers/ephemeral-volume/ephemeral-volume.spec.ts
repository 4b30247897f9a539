import { describe, expect, it } from '@jest/globals';
import type { PersistentVolumeClaimSpec, Pod } from '@orrery/api';
import type { PersistentVolumeClaim } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { Indexer } from '@orrery/informers';
import { EphemeralVolumeReconciler, newClaim } from './ephemeral-volume.reconciler.js';

const pod: Pod = { metadata: { name: 'p', namespace: 'd', uid: 'u' }, spec: { containers: [] } };
const spec: PersistentVolumeClaimSpec = { accessModes: ['ReadWriteOnce'] };

describe('newClaim()', () => {
  it('is none for a volume of another kind', () => {
    expect(newClaim(pod, { name: 'v', emptyDir: {} })).toBeUndefined();
  });

  it.each([
    {
      name: 'is named after pod and volume, and goes with the pod',
      template: { spec },
      want: {
        metadata: {
          name: 'p-v',
          namespace: 'd',
          ownerReferences: [{ kind: 'Pod', name: 'p', uid: 'u', controller: true }],
        },
        spec,
      },
    },
    {
      name: 'has the labels and annotations of the template',
      template: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } }, spec },
      want: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } },
    },
  ])('$name', ({ template: volumeClaimTemplate, want }) => {
    expect(newClaim(pod, { name: 'v', ephemeral: { volumeClaimTemplate } })).toMatchObject(want);
  });
});

describe(EphemeralVolumeReconciler.name, () => {
  const own: Pod = {
    ...pod,
    spec: {
      containers: [],
      volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec } } }],
    },
  };
  const refusing = {
    create: () => Promise.reject(new Error('exceeded quota')),
  } as unknown as ResourceClient<PersistentVolumeClaim>;

  it.each([
    {
      name: 'tells of a claim of that name that is not the pod’s',
      claims: [{ metadata: { name: 'p-v', namespace: 'd', uid: 'c' }, spec }],
      want: 'ephemeral volume v: PVC d/p-v was not created for pod d/p (pod is not owner)',
    },
    {
      name: 'tells why a claim cannot be made',
      claims: [],
      want: 'ephemeral volume v: create PVC p-v: exceeded quota',
    },
  ])('$name', async ({ claims, want }) => {
    const [pods, known] = [new Indexer<Pod>(), new Indexer<PersistentVolumeClaim>()];
    pods.set(own);
    for (const claim of claims) known.set(claim);
    const told: string[] = [];
    const events = {
      event: (_: object, type: string, reason: string, text: string) => {
        told.push(`${type} ${reason} ${text}`);
      },
    };
    const reconciler = new EphemeralVolumeReconciler(pods, known, refusing, events, (request) =>
      request(),
    );
    const ended = reconciler.reconcile({ namespace: 'd', name: 'p' });
    await expect(ended).rejects.toThrow('p-v');
    expect(told).toEqual([`Warning FailedBinding ${want}`]);
  });
});
