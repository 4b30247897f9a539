import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { node, pod } from '../../../test/builders.js';
import { FakeClock } from '../../../test/fake-clock.js';
import { PluginBench, contextOf, listersOf } from '../../../test/plugin-context.js';
import { CycleState } from '../../framework/cycle-state.js';
import type { Plugin } from '../../framework/plugin.js';
import { nodeVolumeLimits } from '../node-volume-limits/node-volume-limits.plugin.js';
import { volumeRestrictions } from '../volume-restrictions/volume-restrictions.plugin.js';
import { volumeZone } from '../volume-zone/volume-zone.plugin.js';
import { volumeBinding } from './volume-binding.plugin.js';

const ZONE = 'topology.kubernetes.io/zone';

const claim = (name: string, spec: object = {}, more: object = {}): KubeObject =>
  ({
    metadata: { name, namespace: 'default', uid: `uid-${name}` },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'late',
      resources: { requests: { storage: '5Gi' } },
      ...spec,
    },
    status: { phase: 'Pending' },
    ...more,
  }) as unknown as KubeObject;

const bound = (name: string, volumeName: string, spec: object = {}): KubeObject =>
  claim(
    name,
    { volumeName, ...spec },
    {
      metadata: {
        name,
        namespace: 'default',
        uid: `uid-${name}`,
        annotations: { 'pv.kubernetes.io/bind-completed': 'yes' },
      },
    },
  );

const volume = (name: string, storage: string, zone?: string, more: object = {}): KubeObject =>
  ({
    metadata: { name, uid: `uid-${name}`, ...(zone ? { labels: { [ZONE]: zone } } : {}) },
    spec: {
      capacity: { storage },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'late',
      ...(zone
        ? {
            nodeAffinity: {
              required: {
                nodeSelectorTerms: [
                  { matchExpressions: [{ key: ZONE, operator: 'In', values: [zone] }] },
                ],
              },
            },
          }
        : {}),
      ...more,
    },
    status: { phase: 'Available' },
  }) as unknown as KubeObject;

const storageClass = (provisioner: string, more: object = {}): KubeObject =>
  ({
    metadata: { name: 'late' },
    provisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
    ...more,
  }) as unknown as KubeObject;

const capacity = (name: string, zone: string, more: object = {}): KubeObject =>
  ({
    metadata: { name, namespace: 'default' },
    storageClassName: 'late',
    capacity: '10Gi',
    nodeTopology: { matchLabels: { [ZONE]: zone } },
    ...more,
  }) as unknown as KubeObject;
/** A claim to be provisioned by a driver that tells how much room it has, or does not. */
const provisioned = (storageCapacity: boolean) => ({
  claims: [claim('data')],
  storageClasses: [storageClass('csi.example.com')],
  csiDrivers: [{ metadata: { name: 'csi.example.com' }, spec: { storageCapacity } } as KubeObject],
});
const NONE = 'kubernetes.io/no-provisioner';
const nodes = [node('n1').zone('a'), node('n2').zone('b')];
const using = (...names: string[]) =>
  pod('web').spec({
    volumes: names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
  });

describe('VolumeBinding', () => {
  const verdicts = (objects: object, ...names: string[]) =>
    new PluginBench([volumeBinding], { nodes, objects }).verdicts(using(...names).info());
  const UNAVAILABLE = "node(s) didn't find available persistent volumes to bind";

  it.each([
    {
      name: 'waits for claims that are bound at once',
      objects: {
        claims: [claim('data')],
        storageClasses: [storageClass(NONE, { volumeBindingMode: 'Immediate' })],
      },
      want: {
        n1: 'pod has unbound immediate PersistentVolumeClaims',
        n2: 'pod has unbound immediate PersistentVolumeClaims',
      },
    },
    {
      name: 'finds a volume for a claim that waits for its first consumer',
      objects: {
        claims: [claim('data')],
        storageClasses: [storageClass(NONE)],
        volumes: [volume('v', '10Gi', 'a')],
      },
      want: { n1: '', n2: UNAVAILABLE },
    },
    {
      name: 'finds none that is too small',
      objects: {
        claims: [claim('data')],
        storageClasses: [storageClass(NONE)],
        volumes: [volume('v', '1Gi', 'a')],
      },
      want: { n1: UNAVAILABLE, n2: UNAVAILABLE },
    },
    {
      name: 'leaves the rest to a provisioner, where it may provision',
      objects: {
        claims: [claim('data')],
        storageClasses: [
          storageClass('csi.example.com', {
            allowedTopologies: [{ matchLabelExpressions: [{ key: ZONE, values: ['b'] }] }],
          }),
        ],
      },
      want: { n1: UNAVAILABLE, n2: '' },
    },
    {
      name: 'keeps to the node that a provisioner was told',
      objects: {
        claims: [
          claim(
            'data',
            {},
            {
              metadata: {
                name: 'data',
                namespace: 'default',
                annotations: { 'volume.kubernetes.io/selected-node': 'n2' },
              },
            },
          ),
        ],
        storageClasses: [storageClass('csi.example.com')],
      },
      want: { n1: UNAVAILABLE, n2: '' },
    },
    {
      name: 'goes where its volume is',
      objects: { claims: [bound('data', 'v')], volumes: [volume('v', '10Gi', 'b')] },
      want: { n1: "node(s) didn't match PersistentVolume's node affinity", n2: '' },
    },
    {
      name: 'goes where the driver says that it has room',
      objects: {
        ...provisioned(true),
        storageCapacities: [capacity('x', 'a', { capacity: '4Gi' }), capacity('y', 'b')],
      },
      want: { n1: 'node(s) did not have enough free storage', n2: '' },
    },
    {
      name: 'looks at the largest volume before the whole room',
      objects: {
        ...provisioned(true),
        storageCapacities: [
          capacity('x', 'a', { maximumVolumeSize: '1Gi' }),
          capacity('y', 'b', { capacity: '1Gi', maximumVolumeSize: '5Gi' }),
        ],
      },
      want: { n1: 'node(s) did not have enough free storage', n2: '' },
    },
    {
      name: 'looks at the room of its class alone, and where it is known whence it is reached',
      objects: {
        ...provisioned(true),
        storageCapacities: [
          capacity('x', 'a', { storageClassName: 'other' }),
          capacity('y', 'b', { nodeTopology: undefined }),
        ],
      },
      want: {
        n1: 'node(s) did not have enough free storage',
        n2: 'node(s) did not have enough free storage',
      },
    },
    {
      name: 'does not ask drivers that do not tell',
      objects: provisioned(false),
      want: { n1: '', n2: '' },
    },
  ])('$name', ({ objects, want }) => {
    expect(verdicts(objects, 'data')).toEqual(want);
  });

  it.each([
    {
      name: 'waits for the claim of an ephemeral volume',
      claims: [],
      want: 'waiting for ephemeral volume controller to create the persistentvolumeclaim "web-v"',
    },
    {
      name: 'does not take a claim for it that somebody else has made',
      claims: [claim('web-v')],
      want: 'PVC default/web-v was not created for pod default/web (pod is not owner)',
    },
  ])('$name', ({ claims, want }) => {
    const volumes = [{ name: 'v', ephemeral: {} }];
    const bench = new PluginBench([volumeBinding], { nodes, objects: { claims } });
    expect(bench.verdicts(pod('web').spec({ volumes }).info())).toEqual({ n1: want, n2: want });
  });

  it('gives two claims two volumes', () => {
    const objects = {
      claims: [claim('x'), claim('y')],
      storageClasses: [storageClass(NONE)],
      volumes: [volume('v1', '10Gi', 'a'), volume('v2', '10Gi', 'b'), volume('v3', '10Gi', 'b')],
    };
    expect(verdicts(objects, 'x', 'y')).toEqual({ n1: UNAVAILABLE, n2: '' });
  });

  describe('once a node is chosen', () => {
    const patches: unknown[] = [];
    const client = {
      resource: ({ plural }: { plural: string }) => ({
        patch: (key: { name: string }, _type: string, body: unknown) => {
          patches.push([plural, key.name, body]);
          return Promise.resolve(body);
        },
      }),
    } as unknown as KubeClient;

    async function preBind(objects: object): Promise<unknown> {
      patches.length = 0;
      const clock = new FakeClock();
      const listers = listersOf({ nodes: nodes.map((each) => each.build()), ...objects });
      const plugin: Plugin = volumeBinding.create(
        contextOf({
          listers,
          client,
          clock: {
            monotonic: () => clock.monotonic(),
            now: () => 0,
            sleep: () => Promise.reject(new Error('still waiting')),
            after: () => () => undefined,
          },
        }),
        undefined,
      );
      const state = new CycleState();
      const info = using('data').info();
      plugin.preFilter?.(state, info);
      plugin.reserve?.(state, info, 'n1');
      return plugin.preBind?.(state, info, 'n1', new AbortController().signal);
    }

    it('keeps a volume for the claim and waits', async () => {
      const status = await preBind({
        claims: [claim('data')],
        storageClasses: [storageClass(NONE)],
        volumes: [volume('v', '10Gi', 'a')],
      });
      expect(patches).toMatchObject([
        ['persistentvolumes', 'v', { spec: { claimRef: { name: 'data', uid: 'uid-data' } } }],
      ]);
      expect(status).toMatchObject({ code: 'Error', reasons: ['still waiting'] });
    });

    it('tells the provisioner the node', async () => {
      await preBind({
        claims: [claim('data')],
        storageClasses: [storageClass('csi.example.com')],
      });
      expect(patches).toMatchObject([
        [
          'persistentvolumeclaims',
          'data',
          { metadata: { annotations: { 'volume.kubernetes.io/selected-node': 'n1' } } },
        ],
      ]);
    });
  });
});

describe('VolumeRestrictions', () => {
  it('attaches a disk once, unless all only read', () => {
    const disk = (readOnly: boolean) => ({
      volumes: [{ name: 'd', gcePersistentDisk: { pdName: 'disk', readOnly } }],
    });
    const bench = new PluginBench([volumeRestrictions], {
      nodes,
      pods: [pod('other').spec(disk(true)).on('n1')],
    });
    expect(bench.verdicts(pod('w').spec(disk(false)).info())).toEqual({
      n1: 'node(s) had no available disk',
      n2: '',
    });
    expect(bench.verdicts(pod('r').spec(disk(true)).info())).toEqual({ n1: '', n2: '' });
  });

  it('gives a ReadWriteOncePod claim to one pod', () => {
    const bench = new PluginBench([volumeRestrictions], {
      nodes,
      pods: [using('data').on('n1')],
      objects: { claims: [bound('data', 'v', { accessModes: ['ReadWriteOncePod'] })] },
    });
    const other = pod('other').spec({
      volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }],
    });
    const ONCE =
      'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';
    expect(bench.verdicts(other.info())).toEqual({ n1: ONCE, n2: ONCE });
  });
});

describe('VolumeZone', () => {
  it('goes to the zone that the volume names', () => {
    const objects = { claims: [bound('data', 'v')], volumes: [volume('v', '1Gi', 'a__c')] };
    const bench = new PluginBench([volumeZone], { nodes: [...nodes, node('n3')], objects });
    expect(bench.verdicts(using('data').info())).toEqual({
      n1: '',
      n2: 'node(s) had no available volume zone',
      n3: '',
    });
  });
});

describe('NodeVolumeLimits', () => {
  it('attaches no more volumes than the driver can', () => {
    const csi = (name: string): KubeObject =>
      volume(name, '1Gi', undefined, { csi: { driver: 'csi.example.com', volumeHandle: name } });
    const limits = {
      metadata: { name: 'n1' },
      spec: { drivers: [{ name: 'csi.example.com', nodeID: 'n1', allocatable: { count: 1 } }] },
    } as unknown as KubeObject;
    const bench = new PluginBench([nodeVolumeLimits], {
      nodes,
      pods: [using('one').on('n1')],
      objects: {
        claims: [bound('one', 'v1'), bound('two', 'v2')],
        volumes: [csi('v1'), csi('v2')],
        csiNodes: [limits],
      },
    });
    expect(bench.verdicts(using('two').info())).toEqual({
      n1: 'node(s) exceed max volume count',
      n2: '',
    });
    expect(bench.verdicts(using('one').info())).toEqual({ n1: '', n2: '' });
  });
});
