import { describe, expect, it } from '@jest/globals';
import type { PersistentVolumeClaimSpec, Pod } from '@orrery/api';
import { newClaim } from './ephemeral-volume.reconciler.js';

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
