import { describe, expect, it } from '@jest/globals';
import type { Node, Pod } from '@orrery/api';
import { stranded, surplusTerminated, unscheduledTerminating } from './pod-gc.reconciler.js';

const pod = (name: string, phase: string, more: object = {}, nodeName = 'k1'): Pod =>
  ({
    metadata: { name, creationTimestamp: `2026-01-0${name}T00:00:00Z`, ...more },
    spec: { containers: [], ...(nodeName ? { nodeName } : {}) },
    status: { phase },
  }) as Pod;

const LEAVING = { deletionTimestamp: 't' };
const evicted = (one: Pod): Pod => ({ ...one, status: { ...one.status, reason: 'Evicted' } });
const names = (pods: readonly Pod[]): (string | undefined)[] =>
  pods.map(({ metadata }) => metadata.name);

describe('surplusTerminated()', () => {
  const ended = [pod('3', 'Failed'), pod('1', 'Succeeded'), pod('2', 'Failed')];
  it.each([
    { name: 'takes the oldest beyond the threshold', pods: ended, threshold: 1, want: ['1', '2'] },
    { name: 'takes none below it', pods: ended, threshold: 3, want: [] },
    { name: 'takes none without one', pods: ended, threshold: 0, want: [] },
    {
      name: 'takes evicted pods first, and those of one age by name',
      pods: [
        pod('c', 'Failed', { creationTimestamp: '2026-01-01T00:00:00Z' }),
        pod('b', 'Failed', { creationTimestamp: '2026-01-01T00:00:00Z' }),
        evicted(pod('e', 'Failed', { creationTimestamp: '2026-01-02T00:00:00Z' })),
      ],
      threshold: 1,
      want: ['e', 'b'],
    },
    {
      name: 'takes none that runs',
      pods: [pod('1', 'Running'), pod('2', 'Failed')],
      threshold: 1,
      want: [],
    },
  ])('$name', ({ pods, threshold, want }) => {
    expect(names(surplusTerminated(pods, threshold))).toEqual(want);
  });
});

describe('unscheduledTerminating()', () => {
  it('takes what is deleted and was never placed', () => {
    const pods = [
      pod('1', 'Pending', LEAVING, ''),
      pod('2', 'Pending', {}, ''),
      pod('3', 'Pending', LEAVING),
    ];
    expect(names(unscheduledTerminating(pods))).toEqual(['1']);
  });
});

describe('stranded()', () => {
  const node = (tainted: boolean, ready: string): Node =>
    ({
      metadata: { name: 'k1' },
      spec: {
        taints: tainted ? [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] : [],
      },
      status: { conditions: [{ type: 'Ready', status: ready }] },
    }) as Node;
  it.each([
    {
      name: 'takes what cannot end',
      node: node(true, 'Unknown'),
      pod: pod('1', 'Running', LEAVING),
      want: ['1'],
    },
    {
      name: 'not from a node that is ready',
      node: node(true, 'True'),
      pod: pod('1', 'Running', LEAVING),
      want: [],
    },
    {
      name: 'not without the taint',
      node: node(false, 'Unknown'),
      pod: pod('1', 'Running', LEAVING),
      want: [],
    },
    { name: 'not what stays', node: node(true, 'Unknown'), pod: pod('1', 'Running'), want: [] },
  ])('$name', ({ node: one, pod: its, want }) => {
    expect(names(stranded([its], [one]))).toEqual(want);
  });
});
