import { describe, expect, it } from '@jest/globals';
import type { DeviceRequest, Pod, ResourceClaim } from '@orrery/api';
import { node, pod } from '../../../test/builders.js';
import { DRIVER, claim, deviceClass, nodeSlice, request } from '../../../test/devices.js';
import { PluginBench } from '../../../test/plugin-context.js';
import { CycleState } from '../../framework/cycle-state.js';
import { toPodInfo } from '../../framework/pod-info.js';
import type { Status } from '../../framework/status.js';
import { dynamicResources } from './dynamic-resources.plugin.js';

const NODES = [node('n1'), node('n2')];
const CLASSES = [deviceClass('gpu')];
const SLICES = [nodeSlice('n1', ['d0']), nodeSlice('n2', ['d0', 'd1'])];
const onNode = (name: string) => ({
  nodeSelectorTerms: [
    { matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [name] }] },
  ],
});

/** A claim with the device of that pool. */
const allocated = (
  name: string,
  pool: string,
  device: string,
  over: object = {},
): ResourceClaim => ({
  ...claim(name),
  status: {
    allocation: {
      devices: { results: [{ request: 'r', driver: DRIVER, pool, device, ...over }] },
      nodeSelector: onNode(pool),
    },
  },
});

const bench = (resourceClaims: readonly ResourceClaim[], args?: unknown): PluginBench =>
  new PluginBench([dynamicResources], {
    nodes: NODES,
    objects: { deviceClasses: CLASSES, resourceSlices: SLICES },
    resourceClaims,
    args,
  });

const generated = (status?: string): Pod => {
  const made = pod('a')
    .spec({ resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] })
    .build();
  const resourceClaimStatuses = status ? [{ name: 'gpu', resourceClaimName: status }] : [];
  return { ...made, status: { ...made.status, resourceClaimStatuses } };
};

const NONE = 'cannot allocate all claims';

describe('DynamicResources', () => {
  it.each([
    {
      name: 'a pod without claims goes anywhere',
      claims: [],
      pod: pod('a').build(),
      want: { n1: '', n2: '' },
    },
    {
      name: 'a pod goes where there are devices for all its claims',
      claims: [claim('x'), claim('y')],
      pod: pod('a').claiming('x', 'y').build(),
      want: { n1: NONE, n2: '' },
    },
    {
      name: 'devices of other claims are taken',
      claims: [claim('x'), allocated('other', 'n1', 'd0')],
      pod: pod('a').claiming('x').build(),
      want: { n1: NONE, n2: '' },
    },
    {
      name: 'a claim with devices is used where they are',
      claims: [allocated('x', 'n1', 'd0')],
      pod: pod('a').claiming('x').build(),
      want: { n1: '', n2: 'resourceclaim not available on the node' },
    },
    {
      name: 'a claim whose devices could not be attached in time is not used',
      claims: [
        {
          ...allocated('x', 'n1', 'd0', { bindingConditions: ['attached'] }),
          status: {
            allocation: {
              allocationTimestamp: '1960-01-01T00:00:00Z',
              devices: {
                results: [
                  {
                    request: 'r',
                    driver: DRIVER,
                    pool: 'n1',
                    device: 'd0',
                    bindingConditions: ['attached'],
                  },
                ],
              },
            },
          },
        },
      ],
      pod: pod('a').claiming('x').build(),
      want: {
        n1: 'resourceclaim not available on the node',
        n2: 'resourceclaim not available on the node',
      },
    },
    {
      name: 'a generated claim is used by its pod alone',
      claims: [claim('a-gpu-x')],
      pod: generated('a-gpu-x'),
      want: {
        n1: 'ResourceClaim default/a-gpu-x was not created for Pod default/a (Pod is not owner)',
        n2: 'ResourceClaim default/a-gpu-x was not created for Pod default/a (Pod is not owner)',
      },
    },
    {
      name: 'a class that there is not',
      claims: [claim('x', [request('r', { deviceClassName: 'nope' })])],
      pod: pod('a').claiming('x').build(),
      want: {
        n1: 'request r: device class nope does not exist',
        n2: 'request r: device class nope does not exist',
      },
    },
    {
      name: 'a claim that is being deleted',
      claims: [
        {
          ...claim('x'),
          metadata: { ...claim('x').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
        },
      ],
      pod: pod('a').claiming('x').build(),
      want: {
        n1: 'resourceclaim "x" is being deleted',
        n2: 'resourceclaim "x" is being deleted',
      },
    },
  ])('$name', ({ claims, pod: asked, want }) => {
    expect(bench(claims).verdicts(toPodInfo(asked))).toEqual(want);
  });

  it.each([
    {
      name: 'whose claim is not made yet',
      claims: [],
      pod: generated(),
      want: ['pod "default/a": ResourceClaim not created yet'],
    },
    {
      name: 'whose claim is not there',
      claims: [],
      pod: pod('a').claiming('x').build(),
      want: ['could not find ResourceClaim "default/x"'],
    },
    {
      name: 'with its claims, not',
      claims: [claim('x')],
      pod: pod('a').claiming('x').build(),
      want: [],
    },
  ])('holds back a pod $name', ({ claims, pod: asked, want }) => {
    expect(bench(claims).framework.preEnqueue(asked).reasons).toEqual(want);
  });

  it('prefers the node with the better alternative', () => {
    const two: DeviceRequest = {
      name: 'r',
      firstAvailable: [
        { name: 'many', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 },
        { name: 'one', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
      ],
    };
    const { framework, cache } = bench([claim('x', [two])]);
    const state = new CycleState();
    const info = pod('a').claiming('x').info();
    framework.preFilter(state, info);
    for (const each of cache.list()) framework.filter(state, info, each);
    const scores = framework.scores(state, info, cache.list());
    expect(scores.map(({ node: { name }, score }) => [name, score])).toEqual([
      ['n1', 2 * 87],
      ['n2', 2 * 100],
    ]);
  });

  it('keeps what it decided from the next pod until it is given back', async () => {
    const { framework, cache } = bench([claim('x'), claim('y'), allocated('z', 'n2', 'd0')]);
    const [n1, n2] = cache.list();
    if (!n1 || !n2) throw new Error('no nodes');
    const judge = (name: string): { state: CycleState; reasons: Record<string, Status> } => {
      const state = new CycleState();
      const info = pod(name).claiming(name).info();
      framework.preFilter(state, info);
      const reasons = {
        n1: framework.filter(state, info, n1),
        n2: framework.filter(state, info, n2),
      };
      return { state, reasons };
    };
    const first = judge('x');
    framework.binding.reserve(first.state, pod('x').claiming('x').info(), 'n1');
    expect(judge('y').reasons).toMatchObject({ n1: { reasons: [NONE] }, n2: { code: 'Success' } });
    expect(
      framework.preFilter(new CycleState(), pod('b').claiming('x').info()).status.reasons,
    ).toEqual(['resource claim default/x is in the process of being allocated']);
    await framework.binding.unreserve(first.state, pod('x').claiming('x').info(), 'n1');
    expect(judge('y').reasons).toMatchObject({ n1: { code: 'Success' } });
  });

  it.each([
    {
      args: { bindingTimeout: '10ms' },
      want: 'args.bindingTimeout: Invalid value: "10ms": must be at least 1 second',
    },
    { args: { filterTimeout: 'soon' }, want: 'filterTimeout' },
    { args: { nope: 1 }, want: 'nope' },
  ])('refuses the arguments $args', ({ args, want }) => {
    expect(() => bench([], args)).toThrow(want);
  });
});
