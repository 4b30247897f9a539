import { describe, expect, it } from '@jest/globals';
import type { Pod, StatefulSet } from '@orrery/api';
import { createMetrics } from '@orrery/component';
import type { StatefulWorld } from './statefulset.decide.js';
import { createStatefulMeters } from './statefulset.metrics.js';

const pod = (ordinal: number, more: object = {}, status = 'True'): Pod =>
  ({
    metadata: { name: `db-${ordinal}`, ...more },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status }] },
  }) as Pod;

const world = (
  maxUnavailable: number | string | undefined,
  pods: readonly Pod[],
): StatefulWorld => {
  const rollingUpdate = maxUnavailable === undefined ? {} : { maxUnavailable };
  const set = {
    metadata: { name: 'db', namespace: 'n' },
    spec: { replicas: 4, updateStrategy: { rollingUpdate } },
  } as unknown as StatefulSet;
  return { set, pods, currentRevision: 'a', updateRevision: 'a', collisions: 0, now: 0 };
};

describe('the metrics', () => {
  it.each([
    { name: 'absent, leaving and unready pods', most: 2, want: [2, 3] },
    { name: 'a share', most: '50%', want: [2, 3] },
    { name: 'nothing without the field', most: undefined, want: [] },
  ])('tell of $name, and no more when the set is gone', async ({ most, want }) => {
    const metrics = createMetrics();
    const meters = createStatefulMeters(metrics);
    meters.planned(world(most, [pod(0), pod(1, {}, 'False'), pod(2, { deletionTimestamp: 't' })]));
    const values = async (): Promise<number[]> =>
      (await metrics.text())
        .split('\n')
        .filter((line) =>
          line.includes('statefulset_name="db",pod_management_policy="OrderedReady"'),
        )
        .map((line) => Number(line.split(' ').at(-1)));
    expect(await values()).toEqual(want);
    meters.forget({ namespace: 'n', name: 'db' });
    expect(await values()).toEqual([]);
  });
});
