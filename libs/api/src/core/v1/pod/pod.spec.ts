import { describe, expect, it } from '@jest/globals';
import type { ContainerStatus, Pod, PodStatus } from '../../../types.js';
import { podStateOf } from './pod-state.js';
import { PodKind } from './pod.kind.js';

const context = { now: '2026-01-02T00:00:00Z', warn: () => undefined };
const NOW = Date.parse('2026-01-02T00:00:00Z');

const podWith = (status: PodStatus, more: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name: 'web', namespace: 'default', ...more },
  spec: {
    containers: [{ name: 'a', image: 'nginx' }],
    initContainers: [
      { name: 'i', image: 'busybox' },
      { name: 'j', image: 'busybox' },
    ],
  },
  status,
});

const container = (name: string, more: Partial<ContainerStatus>): ContainerStatus => ({
  name,
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...more,
});

const done = container('i', { state: { terminated: { exitCode: 0, reason: 'Completed' } } });
const initDone = [done, { ...done, name: 'j' }];

describe('podStateOf()', () => {
  it.each<{ name: string; pod: Pod; want: string }>([
    {
      name: 'its phase when nothing runs yet',
      pod: podWith({ phase: 'Pending' }),
      want: 'Pending',
    },
    {
      name: 'how many init containers are done',
      pod: podWith({
        phase: 'Pending',
        initContainerStatuses: [done, container('j', { state: { running: {} } })],
      }),
      want: 'Init:1/2',
    },
    {
      name: 'why an init container failed',
      pod: podWith({
        phase: 'Pending',
        initContainerStatuses: [container('i', { state: { terminated: { exitCode: 3 } } })],
      }),
      want: 'Init:ExitCode:3',
    },
    {
      name: 'why a container waits',
      pod: podWith({
        phase: 'Running',
        initContainerStatuses: initDone,
        containerStatuses: [container('a', { state: { waiting: { reason: 'CrashLoopBackOff' } } })],
      }),
      want: 'CrashLoopBackOff',
    },
    {
      name: 'Completed when its container has ended',
      pod: podWith({
        phase: 'Succeeded',
        initContainerStatuses: initDone,
        containerStatuses: [
          container('a', { state: { terminated: { exitCode: 0, reason: 'Completed' } } }),
        ],
      }),
      want: 'Completed',
    },
    {
      name: 'Terminating once deleted',
      pod: podWith({ phase: 'Running' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      want: 'Terminating',
    },
  ])('says $name', ({ pod, want }) => {
    expect(podStateOf(pod).reason).toBe(want);
  });
});

describe('PodKind', () => {
  it('shows when the last restart was', () => {
    const pod = podWith({
      phase: 'Running',
      initContainerStatuses: initDone,
      containerStatuses: [
        container('a', {
          ready: true,
          restartCount: 3,
          state: { running: {} },
          lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T23:55:00Z' } },
        }),
      ],
    });
    expect(PodKind.columns.row(pod, NOW).slice(0, 4)).toEqual([
      'web',
      '1/1',
      'Running',
      '3 (5m ago)',
    ]);
  });

  it('lets an image change but not a command', () => {
    const old = podWith({ phase: 'Running' });
    PodKind.setDefaults?.(old);
    const withImage = structuredClone(old);
    const withCommand = structuredClone(old);
    for (const each of withImage.spec.containers) each.image = 'nginx:2';
    for (const each of withCommand.spec.containers) each.command = ['sh'];
    expect(PodKind.strategy.validateUpdate?.(withImage, old, context)).toEqual([]);
    const [finding] = PodKind.strategy.validateUpdate?.(withCommand, old, context) ?? [];
    expect(finding?.message).toContain('pod updates may not change fields other than');
  });

  it('gives a new pod its phase, QoS class and pull policy', () => {
    const pod = podWith({ phase: 'Running' });
    PodKind.setDefaults?.(pod);
    PodKind.strategy.prepareForCreate?.(pod, context);
    expect(pod.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
    expect(pod.spec.containers[0]?.imagePullPolicy).toBe('Always');
  });

  it('has a grace period of a second where the one asked for is negative', () => {
    const pod = podWith({});
    pod.spec.terminationGracePeriodSeconds = -1;
    PodKind.setDefaults?.(pod);
    expect(pod.spec.terminationGracePeriodSeconds).toBe(1);
  });

  it('tells of a new pod with gates since when it waits', () => {
    const pod = podWith({});
    pod.spec.schedulingGates = [{ name: 'example.com/wait' }];
    PodKind.strategy.prepareForCreate?.(pod, context);
    expect(pod.status?.conditions).toEqual([
      {
        type: 'PodScheduled',
        status: 'False',
        lastProbeTime: null,
        lastTransitionTime: context.now,
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ]);
  });

  it.each([
    { name: 'no node', pod: podWith({}), want: 0 },
    {
      name: 'a node',
      pod: { ...podWith({}), spec: { containers: [], nodeName: 'n' } },
      want: 30,
    },
  ])('gives a pod with $name $want seconds to end', ({ pod, want }) => {
    expect(PodKind.defaultGracePeriodSeconds?.(pod)).toBe(want);
  });
});
