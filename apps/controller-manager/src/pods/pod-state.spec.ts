import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { mattersToReplicas } from './pod-state.js';

const pod = (change: Partial<Pod> & { metadata?: object } = {}): Pod =>
  ({
    spec: { containers: [] },
    status: {
      phase: 'Pending',
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
    ...change,
    metadata: { name: 'p', labels: { app: 'a' }, ...change.metadata },
  }) as Pod;

const ready = (lastTransitionTime: string): Pod['status'] => ({
  phase: 'Pending',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }],
});

describe('mattersToReplicas()', () => {
  it.each([
    { name: 'a node', now: pod({ spec: { containers: [], nodeName: 'n' } }), want: false },
    {
      name: 'a later version',
      now: pod({ metadata: { resourceVersion: '2', annotations: { a: 'b' } } }),
      want: false,
    },
    { name: 'its end', now: pod({ status: { phase: 'Failed' } }), want: true },
    { name: 'readiness', now: pod({ status: ready('2026-01-01T00:00:00Z') }), want: true },
    { name: 'other labels', now: pod({ metadata: { labels: { app: 'b' } } }), want: true },
    { name: 'its deletion', now: pod({ metadata: { deletionTimestamp: 'now' } }), want: true },
    {
      name: 'an owner',
      now: pod({
        metadata: {
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u' }],
        },
      }),
      want: true,
    },
  ])('a pod that gets $name: $want', ({ now, want }) => {
    expect(mattersToReplicas(now, pod())).toBe(want);
  });

  it('a pod that was ready before and is so since another time matters', () => {
    const old = pod({ status: ready('2026-01-01T00:00:00Z') });
    expect(mattersToReplicas(pod({ status: ready('2026-01-01T00:00:09Z') }), old)).toBe(true);
  });
});
