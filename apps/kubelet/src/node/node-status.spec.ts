import { describe, expect, it } from '@jest/globals';
import { nodeStatus, runtimeProblems } from './node-status.js';
import type { NodeFacts } from './node-status.js';
import { readMachine } from './machine.js';

const facts = (changes: Partial<NodeFacts> = {}): NodeFacts => ({
  machine: readMachine('/'),
  runtime: { name: 'orrery', version: 'v1' },
  runtimeConditions: [
    { type: 'RuntimeReady', status: true, reason: '', message: '' },
    { type: 'NetworkReady', status: true, reason: '', message: '' },
  ],
  plegHealthy: true,
  images: [],
  nodeName: 'k8s-02',
  nodeIps: ['127.9.0.2'],
  emulatesNetwork: true,
  port: 10_250,
  maxPods: 110,
  pressures: [],
  shutdown: undefined,
  reserved: {},
  now: '2026-01-02T03:04:05Z',
  ...changes,
});

const statusOf = (type: string, changes: Partial<NodeFacts> = {}): string | undefined =>
  nodeStatus(facts(changes), undefined).conditions?.find((c) => c.type === type)?.status;

const networkDown = [
  { type: 'RuntimeReady', status: true, reason: '', message: '' },
  { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message: 'no CIDR' },
];

describe('nodeStatus()', () => {
  it('says what the runtime can do, and the kubelet', () => {
    const handlers = [{ name: '', recursiveReadOnlyMounts: true, userNamespaces: false }];
    const runtime = { name: 'orrery', version: 'v1', handlers, supplementalGroupsPolicy: true };
    const status = nodeStatus(facts({ runtime }), undefined);
    expect(status.runtimeHandlers).toEqual([
      { name: '', features: { recursiveReadOnlyMounts: true, userNamespaces: false } },
    ]);
    expect(status.features).toEqual({ supplementalGroupsPolicy: true });
    expect(status.declaredFeatures).toContain('RestartAllContainersOnContainerExits');
    expect(status.declaredFeatures).toEqual([...(status.declaredFeatures ?? [])].sort());
    expect(nodeStatus(facts(), undefined)).not.toHaveProperty('features');
  });

  it.each<{ name: string; type: string; changes?: Partial<NodeFacts>; want: string | undefined }>([
    { name: 'is ready with runtime and network', type: 'Ready', want: 'True' },
    {
      name: 'is not ready without network',
      type: 'Ready',
      changes: { runtimeConditions: networkDown },
      want: 'False',
    },
    {
      name: 'is not ready before the first relist',
      type: 'Ready',
      changes: { plegHealthy: false },
      want: 'False',
    },
    { name: 'says what the emulated network is', type: 'NetworkUnavailable', want: 'False' },
    {
      name: 'leaves a network that is set up by somebody else to them',
      type: 'NetworkUnavailable',
      changes: { emulatesNetwork: false },
      want: undefined,
    },
  ])('$name', ({ type, changes, want }) => {
    expect(statusOf(type, changes)).toBe(want);
  });

  it('lets pods have what somebody else has added to the capacity, while it is there', () => {
    const bare = nodeStatus(facts(), undefined);
    const added = { 'example.com/foo': '3' };
    const node = { metadata: { name: 'k8s-02' }, spec: {}, status: bare };
    const capacity = { ...bare.capacity, ...added };
    const given = nodeStatus(facts(), { ...node, status: { ...bare, capacity } });
    expect(given.allocatable).toEqual({ ...bare.allocatable, ...added });
    expect(given.capacity).toEqual(capacity);
    expect(nodeStatus(facts(), { ...node, status: { ...given, capacity: bare.capacity } })).toEqual(
      bare,
    );
  });

  it('keeps the transition time of a condition that did not change', () => {
    const before = nodeStatus(facts(), undefined);
    const after = nodeStatus(facts({ now: '2026-01-02T03:05:05Z' }), {
      metadata: { name: 'k8s-02' },
      spec: {},
      status: before,
    });
    const ready = after.conditions?.find((c) => c.type === 'Ready');
    expect(ready).toMatchObject({
      lastHeartbeatTime: '2026-01-02T03:05:05Z',
      lastTransitionTime: '2026-01-02T03:04:05Z',
    });
  });
});

describe('runtimeProblems()', () => {
  it("uses upstream's words", () => {
    expect(runtimeProblems(networkDown)).toEqual([
      'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:no CIDR',
    ]);
  });
});
