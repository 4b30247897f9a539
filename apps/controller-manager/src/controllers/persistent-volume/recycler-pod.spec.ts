import { describe, expect, it } from '@jest/globals';
import type { PersistentVolume, Pod, PodStatus } from '@orrery/api';
import { recycledBy, recyclerPod, recyclingOf } from './recycler-pod.js';
import type { Recycling } from './recycler-pod.js';

const volume = (uid: string, storage = '1Gi'): PersistentVolume => ({
  metadata: { name: 'v' },
  spec: {
    capacity: { storage },
    hostPath: { path: '/data' },
    claimRef: { namespace: 'd', name: 'c', uid },
  },
});

const now = volume('u');
const podOf = (status: PodStatus, of = now): Pod => ({ ...recyclerPod(of), status });

describe('recyclingOf()', () => {
  it.each<{ readonly name: string; readonly pod?: Pod; readonly want: Recycling }>([
    { name: 'begins with a pod', want: { step: 'begin' } },
    { name: 'waits for it', pod: podOf({ phase: 'Running' }), want: { step: 'wait' } },
    {
      name: 'is done when it succeeded',
      pod: podOf({ phase: 'Succeeded' }),
      want: { step: 'done' },
    },
    {
      name: 'does not believe a pod of an earlier claim',
      pod: podOf({ phase: 'Succeeded' }, volume('old')),
      want: { step: 'clear' },
    },
    {
      name: 'nor one that goes',
      pod: {
        ...podOf({ phase: 'Succeeded' }),
        metadata: { ...podOf({}).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
      },
      want: { step: 'wait' },
    },
    {
      name: 'fails with what the pod says',
      pod: podOf({ phase: 'Failed', message: 'too slow' }),
      want: { step: 'failed', message: 'Recycle failed: failed to recycle volume: too slow' },
    },
  ])('$name', ({ pod, want }) => {
    expect(recyclingOf(now, pod)).toEqual(want);
  });
});

describe('recyclerPod()', () => {
  it.each([
    { storage: '1Mi', want: 60 },
    { storage: '10Gi', want: 300 },
  ])('has $want seconds for $storage', ({ storage, want }) => {
    expect(recyclerPod(volume('u', storage)).spec.activeDeadlineSeconds).toBe(want);
  });

  it('is named after the volume, which is found by it', () => {
    expect(recycledBy(recyclerPod(now))).toEqual([{ name: 'v' }]);
    expect(
      recycledBy({ ...podOf({}), metadata: { namespace: 'x', name: 'recycler-for-v' } }),
    ).toEqual([]);
  });
});
