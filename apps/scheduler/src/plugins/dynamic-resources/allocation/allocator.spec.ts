import { describe, expect, it } from '@jest/globals';
import type { Device, DeviceClass, ResourceClaim, ResourceSlice } from '@orrery/api';
import { node } from '../../../../test/builders.js';
import type { NodeBuilder } from '../../../../test/builders.js';
import { DRIVER, claim, deviceClass, given, nodeSlice, request } from '../../../../test/devices.js';
import { Allocator } from './allocator.js';
import { Selectors } from './selectors.js';
import { TakenDevices } from '../../../cache/taken-devices.js';

interface Case {
  readonly name: string;
  readonly slices: readonly ResourceSlice[];
  readonly claims: readonly ResourceClaim[];
  readonly classes?: readonly DeviceClass[];
  /** Devices of the pool n1 that somebody has. */
  readonly taken?: readonly string[];
  readonly on?: NodeBuilder;
  /** By claim; undefined when there is no way. */
  readonly want: readonly string[][] | undefined;
}

const GPU = [deviceClass('gpu')];
const attr = (name: string, string: string): Device => ({ name, attributes: { numa: { string } } });
const tainted = (name: string): Device => ({
  name,
  taints: [{ key: 'broken', effect: 'NoSchedule' }],
});
const shared = (name: string, memory: string): Device => ({
  name,
  allowMultipleAllocations: true,
  capacity: { memory: { value: memory } },
});
const partition = (name: string, memory: string): Device => ({
  name,
  consumesCounters: [{ counterSet: 'gpu-0', counters: { memory: { value: memory } } }],
});
const COUNTERS = [{ name: 'gpu-0', counters: { memory: { value: '40Gi' } } }];
const two = { name: 'n1', generation: 1, resourceSliceCount: 2 };
const partitions = [
  {
    ...nodeSlice('n1', [], { sharedCounters: COUNTERS, pool: two }),
    metadata: { name: 'counters' },
  },
  nodeSlice('n1', [partition('half-0', '20Gi'), partition('whole', '40Gi')], { pool: two }),
];
const eachAlone = (key: 'matchAttribute' | 'distinctAttribute') => ({ [key]: `${DRIVER}/numa` });
const memory = (amount: string) => ({ capacity: { requests: { memory: amount } } });
const zone = (name: string) => ({
  nodeSelectorTerms: [
    { matchExpressions: [{ key: 'zone', operator: 'In' as const, values: [name] }] },
  ],
});
const { nodeName: _, ...anywhere } = nodeSlice('n1', ['d0']).spec;

const cases: Case[] = [
  {
    name: 'the first device is taken',
    slices: [nodeSlice('n1', ['d0', 'd1'])],
    claims: [claim('a')],
    want: [['r=d0']],
  },
  {
    name: 'a device is given once',
    slices: [nodeSlice('n1', ['d0', 'd1'])],
    claims: [claim('a'), claim('b')],
    want: [['r=d0'], ['r=d1']],
  },
  {
    name: 'what somebody has is not given',
    slices: [nodeSlice('n1', ['d0', 'd1'])],
    claims: [claim('a')],
    taken: ['d0'],
    want: [['r=d1']],
  },
  {
    name: 'too few devices are none',
    slices: [nodeSlice('n1', ['d0', 'd1'])],
    claims: [claim('a', [request('r', { count: 3 })])],
    want: undefined,
  },
  {
    name: 'devices of other nodes are out of reach',
    slices: [nodeSlice('n2', ['d0'])],
    claims: [claim('a')],
    want: undefined,
  },
  {
    name: 'devices for all nodes are in reach',
    slices: [{ metadata: { name: 's' }, spec: { ...anywhere, allNodes: true } }],
    claims: [claim('a')],
    want: [['r=d0']],
  },
  {
    name: 'devices for nodes of a kind are in reach of those',
    slices: [{ metadata: { name: 's' }, spec: { ...anywhere, nodeSelector: zone('a') } }],
    claims: [claim('a')],
    on: node('n1').labels({ zone: 'b' }),
    want: undefined,
  },
  {
    name: 'of devices that say their nodes themselves only those in reach are given',
    slices: [
      {
        metadata: { name: 's' },
        spec: {
          ...anywhere,
          perDeviceNodeSelection: true,
          devices: [
            { name: 'd0', nodeName: 'n2' },
            { name: 'd1', nodeSelector: zone('a') },
          ],
        },
      },
    ],
    claims: [claim('a')],
    on: node('n1').labels({ zone: 'a' }),
    want: [['r=d1']],
  },
  {
    name: 'classes and requests select',
    classes: [
      deviceClass('gpu', { selectors: [{ cel: { expression: `device.driver == "${DRIVER}"` } }] }),
    ],
    slices: [nodeSlice('n1', [attr('d0', 'x'), attr('d1', 'y')])],
    claims: [
      claim('a', [
        request('r', {
          selectors: [{ cel: { expression: `device.attributes["${DRIVER}"].numa == "y"` } }],
        }),
      ]),
    ],
    want: [['r=d1']],
  },
  {
    name: 'all devices are all that the class selects',
    slices: [nodeSlice('n1', ['d0', 'd1'])],
    claims: [claim('a', [request('r', { allocationMode: 'All' })])],
    want: [['r=d0', 'r=d1']],
  },
  {
    name: 'all devices are none when one of them is taken',
    slices: [nodeSlice('n1', ['d0', 'd1'])],
    claims: [claim('a', [request('r', { allocationMode: 'All' })])],
    taken: ['d1'],
    want: undefined,
  },
  {
    name: 'all of no devices are none',
    slices: [],
    claims: [claim('a', [request('r', { allocationMode: 'All' })])],
    want: undefined,
  },
  {
    name: 'administrators get what others have',
    slices: [nodeSlice('n1', ['d0'])],
    claims: [claim('a', [request('r', { adminAccess: true })])],
    taken: ['d0'],
    want: [['r=d0']],
  },
  {
    name: 'devices with one value of an attribute go together',
    slices: [nodeSlice('n1', [attr('d0', 'x'), attr('d1', 'y'), attr('d2', 'y')])],
    claims: [claim('a', [request('p'), request('q')], [eachAlone('matchAttribute')])],
    want: [['p=d1', 'q=d2']],
  },
  {
    name: 'devices with different values of an attribute go together',
    slices: [nodeSlice('n1', [attr('d0', 'x'), attr('d1', 'x'), attr('d2', 'y')])],
    claims: [claim('a', [request('p', { count: 2 })], [eachAlone('distinctAttribute')])],
    want: [['p=d0', 'p=d2']],
  },
  {
    name: 'the first alternative that there is',
    slices: [nodeSlice('n1', ['d0', 'd1'])],
    claims: [
      claim('a', [
        {
          name: 'r',
          firstAvailable: [
            { name: 'many', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 3 },
            { name: 'few', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 },
          ],
        },
      ]),
    ],
    want: [['r/few=d0', 'r/few=d1']],
  },
  {
    name: 'tainted devices are for those who tolerate it',
    slices: [nodeSlice('n1', [tainted('d0'), 'd1'])],
    claims: [
      claim('a'),
      claim('b', [request('r', { tolerations: [{ key: 'broken', operator: 'Exists' }] })]),
    ],
    want: [['r=d1'], ['r=d0']],
  },
  {
    name: 'taints without effect keep nobody away',
    slices: [nodeSlice('n1', [{ name: 'd0', taints: [{ key: 'k', effect: 'None' }] }])],
    claims: [claim('a')],
    want: [['r=d0']],
  },
  {
    name: 'partitions take of one counter',
    slices: partitions,
    claims: [claim('a')],
    taken: ['half-0'],
    want: undefined,
  },
  {
    name: 'partitions fit while there is enough',
    slices: partitions,
    claims: [claim('a')],
    want: [['r=half-0']],
  },
  {
    name: 'a shared device is given while capacity is left',
    slices: [nodeSlice('n1', [shared('d0', '10Gi'), shared('d1', '10Gi')])],
    claims: ['a', 'b', 'c'].map((name) => claim(name, [request('r', memory('5Gi'))])),
    want: [['r=d0'], ['r=d0'], ['r=d1']],
  },
  {
    name: 'a capacity that the device does not have is not given',
    slices: [nodeSlice('n1', ['d0'])],
    claims: [claim('a', [request('r', memory('1'))])],
    want: undefined,
  },
  {
    name: 'of a pool only the newest generation counts',
    slices: [
      nodeSlice('n1', ['old']),
      {
        ...nodeSlice('n1', ['new'], {
          pool: { name: 'n1', generation: 2, resourceSliceCount: 1 },
        }),
        metadata: { name: 'newer' },
      },
    ],
    claims: [claim('a')],
    want: [['r=new']],
  },
  {
    name: 'nothing is given of a pool with missing slices',
    slices: [nodeSlice('n1', ['d0'], { pool: two })],
    claims: [claim('a')],
    want: undefined,
  },
];

function allocate(each: Omit<Case, 'want' | 'name'>) {
  const { slices, claims, classes = GPU, taken = [], on = node('n1') } = each;
  const devices = new TakenDevices();
  const results = taken.map((device) => ({ request: 'r', driver: DRIVER, pool: 'n1', device }));
  devices.add({ devices: { results } });
  const allocator = new Allocator({
    slices,
    classes: (name) => classes.find(({ metadata }) => metadata.name === name),
    taken: devices,
    selectors: new Selectors(),
    uuid: () => 'uuid',
  });
  return allocator.allocate(on.build(), claims);
}

describe(Allocator.name, () => {
  it.each(cases)('$name', ({ want, ...world }) => {
    expect(allocate(world)?.map(given)).toEqual(want);
  });

  it.each([
    {
      name: 'all devices of a pool that is not whole',
      slices: [nodeSlice('n1', ['d0'], { pool: two })],
      claims: [claim('a', [request('r', { allocationMode: 'All' })])],
      want: `claim default/a, request r: asks for all devices, but resource pool ${DRIVER}/n1 is currently being updated`,
    },
    {
      name: 'more devices than a result can hold',
      slices: [],
      claims: [claim('a', [request('r', { count: 33 })])],
      want: 'claim default/a: number of requested devices 33 exceeds the claim limit of 32',
    },
    {
      name: 'a selector that fails',
      slices: [nodeSlice('n1', ['d0'])],
      claims: [
        claim('a', [
          request('r', {
            selectors: [{ cel: { expression: `device.attributes["${DRIVER}"].x == 1` } }],
          }),
        ]),
      ],
      want: 'claim default/a: selector #0: CEL runtime error: no such key: x',
    },
    {
      name: 'all devices where a constraint keeps some out',
      slices: [nodeSlice('n1', [attr('d0', 'x'), attr('d1', 'y')])],
      claims: [
        claim('a', [request('r', { allocationMode: 'All' })], [eachAlone('matchAttribute')]),
      ],
      want: `claim default/a, request r: cannot add device ${DRIVER}/n1/d1 because a claim constraint would not be satisfied`,
    },
    {
      name: 'two devices of one name',
      slices: [nodeSlice('n1', ['d0', 'd0'])],
      claims: [claim('a')],
      want: 'invalid resource pools were encountered',
    },
  ])('refuses $name', ({ slices, claims, want }) => {
    expect(() => allocate({ slices, claims })).toThrow(want);
  });

  it('writes down what is needed to prepare the devices', () => {
    const opaque = (value: number) => ({ opaque: { driver: DRIVER, parameters: { value } } });
    const asked = claim('a', [request('p'), request('q', memory('3Gi'))]);
    const devices = {
      ...asked.spec.devices,
      config: [opaque(2), { ...opaque(3), requests: ['q'] }],
    };
    const [allocation] =
      allocate({
        classes: [deviceClass('gpu', { config: [opaque(1)] })],
        slices: [nodeSlice('n1', ['d0', shared('d1', '10Gi')])],
        claims: [{ ...asked, spec: { devices } }],
      }) ?? [];
    expect(allocation).toEqual({
      devices: {
        results: [
          { request: 'p', driver: DRIVER, pool: 'n1', device: 'd0' },
          {
            request: 'q',
            driver: DRIVER,
            pool: 'n1',
            device: 'd1',
            shareID: 'uuid',
            consumedCapacity: { memory: '3Gi' },
          },
        ],
        config: [
          { source: 'FromClass', requests: ['p', 'q'], ...opaque(1) },
          { source: 'FromClaim', ...opaque(2) },
          { source: 'FromClaim', requests: ['q'], ...opaque(3) },
        ],
      },
      nodeSelector: {
        nodeSelectorTerms: [
          { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] },
        ],
      },
    });
  });
});
