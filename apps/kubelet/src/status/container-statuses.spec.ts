import { describe, expect, it } from '@jest/globals';
import type { ContainerStatus, VolumeMount } from '@orrery/api';
import { podOf, runningOf } from '../../test/builders.js';
import type { RuntimeContainer } from '../runtime/runtime.js';
import { containerStatuses } from './container-statuses.js';

interface Facts {
  readonly volumeMounts?: VolumeMount[];
  readonly containers?: readonly RuntimeContainer[];
  readonly old?: readonly ContainerStatus[];
  readonly recursiveReadOnly?: boolean;
  readonly restartingAll?: boolean;
}

function statusOf({ volumeMounts = [], containers = [], ...facts }: Facts): ContainerStatus {
  const pod = podOf('p', {}, { volumeMounts });
  const [status] = containerStatuses({
    pod,
    containers: pod.spec.containers,
    runtimePod: { uid: 'u', namespace: 'default', name: 'p', sandboxes: [], containers },
    old: [],
    reasons: new Map(),
    runtimeName: 'orrery',
    initializing: false,
    terminal: false,
    terminationMessage: () => undefined,
    ...facts,
  });
  if (!status) throw new Error('no status');
  return status;
}

describe('containerStatuses()', () => {
  const ro: VolumeMount = { name: 'v', mountPath: '/v', readOnly: true };

  it.each<{ name: string; facts: Facts; want: object }>([
    {
      name: 'writable',
      facts: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      want: { name: 'v', mountPath: '/v' },
    },
    {
      name: 'read-only',
      facts: { volumeMounts: [ro], recursiveReadOnly: true },
      want: { ...ro, recursiveReadOnly: 'Disabled' },
    },
    {
      name: 'read-only with what is below',
      facts: {
        volumeMounts: [{ ...ro, recursiveReadOnly: 'IfPossible' }],
        recursiveReadOnly: true,
      },
      want: { ...ro, recursiveReadOnly: 'Enabled' },
    },
  ])('says that a volume is mounted $name', ({ facts, want }) => {
    expect(statusOf(facts).volumeMounts).toEqual([want]);
    const running = [runningOf('c', { name: 'c' })];
    expect(statusOf({ ...facts, containers: running }).volumeMounts).toEqual([want]);
  });

  it('says as whom the container runs', () => {
    const user = { linux: { uid: 1000, gid: 2000, supplementalGroups: [2000] } };
    expect(statusOf({ containers: [runningOf('c', { name: 'c', user })] }).user).toEqual(user);
  });

  it('counts a restart of what was taken away, once', () => {
    const running = statusOf({ containers: [runningOf('c', { name: 'c', restartCount: 2 })] });
    const taken = statusOf({ old: [running], restartingAll: true });
    expect(taken).toMatchObject({
      restartCount: 3,
      state: { waiting: { reason: 'RestartingAllContainers' } },
      lastState: { terminated: { exitCode: 137, reason: 'RestartingAllContainers' } },
    });
    const again = statusOf({ old: [taken], restartingAll: true });
    expect([again.restartCount, again.lastState]).toEqual([3, taken.lastState]);
  });
});
