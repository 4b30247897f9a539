import { describe, expect, it } from '@jest/globals';
import type { PersistentVolumeClaimSpec, Pod } from '@orrery/api';
import { newClaim } from './ephemeral-volume.reconciler.js';

const pod: Pod = { metadata: { name: 'p', namespace: 'd', uid: 'u' }, spec: { containers: [] } };
const spec: PersistentVolumeClaimSpec = { accessModes: ['ReadWriteOnce'] };

describe('newClaim()', () => {
  it.each([
    {
      name: 'is none for a volume of another kind',
      volume: { name: 'v', emptyDir: {} },
      want: undefined,
    },
    {
      name: 'is named after pod and volume, and goes with the pod',
      volume: { name: 'v', ephemeral: { volumeClaimTemplate: { spec } } },
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
      volume: {
        name: 'v',
        ephemeral: {
          volumeClaimTemplate: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } }, spec },
        },
      },
      want: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } },
    },
  ])('$name', ({ volume, want }) => {
    const claim = newClaim(pod, volume);
    if (want) expect(claim).toMatchObject(want);
    else expect(claim).toBeUndefined();
  });
});
