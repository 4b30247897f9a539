import { describe, expect, it } from '@jest/globals';
import type { Node, Taint } from '@orrery/api';
import {
  healthOf,
  silentConditions,
  wantedTaints,
  wantsEviction,
} from './node-lifecycle.decide.js';
import type { Eviction } from './node-lifecycle.decide.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const TIME = '2026-01-01T00:00:00Z';

const node = (
  conditions: Readonly<Record<string, string>>,
  taints: Taint[] = [],
  unschedulable = false,
): Node => ({
  metadata: { name: 'n', creationTimestamp: '2025-01-01T00:00:00Z' },
  spec: { taints, ...(unschedulable ? { unschedulable } : {}) },
  status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })) },
});

const text = (taints: readonly Taint[] | undefined): string[] | undefined =>
  taints?.map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`);

describe('healthOf()', () => {
  it.each([
    { name: 'a node that says so is ready', ready: 'True', want: 'Ready' },
    { name: 'one that says not is not', ready: 'False', want: 'NotReady' },
    { name: 'of a silent one nobody knows', ready: 'Unknown', want: 'Unknown' },
  ])('$name', ({ ready, want }) => {
    expect(healthOf(node({ Ready: ready }))).toBe(want);
  });

  it('of one without conditions nobody knows', () => {
    expect(healthOf({ metadata: { name: 'n' }, spec: {} })).toBe('Unknown');
  });
});

describe('silentConditions()', () => {
  it('turn unknown, and keep what others keep', () => {
    const silent =
      silentConditions(node({ Ready: 'True', NetworkUnavailable: 'False' }), NOW) ?? [];
    expect(silent.map(({ type, status, reason }) => `${type} ${status} ${reason ?? ''}`)).toEqual([
      'NetworkUnavailable False ',
      'Ready Unknown NodeStatusUnknown',
      'MemoryPressure Unknown NodeStatusNeverUpdated',
      'DiskPressure Unknown NodeStatusNeverUpdated',
      'PIDPressure Unknown NodeStatusNeverUpdated',
    ]);
    expect(silent[1]).toMatchObject({
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: TIME,
    });
    expect(silent[2]).toMatchObject({
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: '2025-01-01T00:00:00Z',
    });
  });

  it('are nothing new the second time', () => {
    const once = silentConditions(node({ Ready: 'True' }), NOW) ?? [];
    const again = { ...node({}), status: { conditions: once } };
    expect(silentConditions(again, NOW + 1000)).toBeUndefined();
  });
});

describe('wantedTaints()', () => {
  const unreachable: Taint = {
    key: 'node.kubernetes.io/unreachable',
    effect: 'NoExecute',
    timeAdded: '2025-12-31T00:00:00Z',
  };
  const mine: Taint = { key: 'mine', effect: 'NoSchedule' };

  it.each<{ name: string; node: Node; eviction?: Eviction; want: string[] | undefined }>([
    { name: 'are none of a node that is well', node: node({ Ready: 'True' }), want: undefined },
    {
      name: 'keep new pods from pressure',
      node: node({
        Ready: 'True',
        MemoryPressure: 'True',
        DiskPressure: 'True',
        PIDPressure: 'True',
      }),
      want: ['memory-pressure:NoSchedule', 'disk-pressure:NoSchedule', 'pid-pressure:NoSchedule'],
    },
    {
      name: 'follow spec.unschedulable',
      node: node({ Ready: 'True' }, [mine], true),
      want: ['mine:NoSchedule', 'unschedulable:NoSchedule'],
    },
    {
      name: 'evict from a silent node when it may',
      node: node({ Ready: 'Unknown' }),
      want: ['unreachable:NoSchedule', 'unreachable:NoExecute'],
    },
    {
      name: 'wait with the eviction for their turn',
      node: node({ Ready: 'False' }),
      eviction: 'wait',
      want: ['not-ready:NoSchedule'],
    },
    {
      name: 'never evict where no node can be heard, and take it back',
      node: node({ Ready: 'Unknown' }, [unreachable]),
      eviction: 'never',
      want: ['unreachable:NoSchedule'],
    },
    {
      name: 'change with the reason, also while others wait',
      node: node({ Ready: 'False' }, [unreachable]),
      eviction: 'wait',
      want: ['not-ready:NoSchedule', 'not-ready:NoExecute'],
    },
    {
      name: 'go with their reason, and leave those of others',
      node: node({ Ready: 'True' }, [unreachable, mine]),
      want: ['mine:NoSchedule'],
    },
    {
      name: 'do not evict a node that never had a kubelet',
      node: node({}),
      want: undefined,
    },
  ])('$name', ({ node: given, eviction = 'may', want }) => {
    expect(text(wantedTaints(given, eviction, NOW))).toEqual(want);
  });

  it('say since when, as upstream (k8s controller/util/node: SwapNodeControllerTaint)', () => {
    const taints = wantedTaints(node({ Ready: 'Unknown' }), 'may', NOW) ?? [];
    expect(taints.map(({ timeAdded }) => timeAdded)).toEqual([
      '2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00Z',
    ]);
  });

  it('keep the time of a taint that stays', () => {
    const taints = wantedTaints(node({ Ready: 'Unknown' }, [unreachable]), 'may', NOW);
    expect(taints?.find(({ effect }) => effect === 'NoExecute')).toEqual(unreachable);
  });

  it('would be an eviction only when they are new', () => {
    expect(wantsEviction(node({ Ready: 'Unknown' }))).toBe(true);
    expect(wantsEviction(node({ Ready: 'False' }, [unreachable]))).toBe(false);
    expect(wantsEviction(node({ Ready: 'True' }))).toBe(false);
  });
});
