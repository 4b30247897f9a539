import { describe, expect, it } from '@jest/globals';
import type {
  CSIDriver,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttachment,
} from '@orrery/api';
import { planAttachments } from './attach-detach.decide.js';

const NAME = 'kubernetes.io/csi/d^h';

const volume = (modes: string[] = ['ReadWriteOnce'], csi = true): PersistentVolume =>
  ({
    metadata: { name: 'v' },
    spec: {
      accessModes: modes,
      ...(csi ? { csi: { driver: 'd', volumeHandle: 'h' } } : { hostPath: { path: '/x' } }),
    },
  }) as PersistentVolume;

const claim = (phase = 'Bound'): PersistentVolumeClaim =>
  ({
    metadata: { name: 'c' },
    spec: { volumeName: 'v' },
    status: { phase },
  }) as PersistentVolumeClaim;

const pod = (phase = 'Pending'): Pod =>
  ({
    metadata: { name: 'p', namespace: 'n' },
    spec: { containers: [], volumes: [{ name: 'x', persistentVolumeClaim: { claimName: 'c' } }] },
    status: { phase },
  }) as Pod;

const node = (inUse: string[] = [], taints: object[] = []): Node =>
  ({ metadata: { name: 'k1' }, spec: { taints }, status: { volumesInUse: inUse } }) as Node;

/** The name that upstream gives is a hash; here is the plan's own. */
const OURS = planAttachments({
  node: node(),
  pods: [pod()],
  claimOf: () => claim(),
  volumeOf: () => volume(),
  driverOf: () => undefined,
  attachments: [],
}).attach[0]?.name;

const attachment = (nodeName: string, attached = true): VolumeAttachment => ({
  metadata: { name: nodeName === 'k1' ? (OURS ?? '') : 'other' },
  spec: { attacher: 'd', nodeName, source: { persistentVolumeName: 'v' } },
  status: { attached },
});

const OUT = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }];

describe('planAttachments()', () => {
  it('names attachments as upstream does', () => {
    expect(OURS).toMatch(/^csi-[0-9a-f]{64}$/);
  });

  it.each<{
    name: string;
    node?: Node;
    pods?: Pod[];
    claim?: PersistentVolumeClaim;
    volume?: PersistentVolume;
    driver?: CSIDriver;
    attachments?: VolumeAttachment[];
    attach?: number;
    refused?: number;
    detach?: number;
    attached?: string[];
    unusedMs?: number;
    neverForce?: boolean;
  }>([
    { name: 'attaches what a pod uses', attach: 1 },
    { name: 'waits for the binding', claim: claim('Pending') },
    { name: 'does not attach folders', volume: volume(undefined, false) },
    {
      name: 'does not attach for drivers that need none',
      driver: { metadata: { name: 'd' }, spec: { attachRequired: false } },
    },
    { name: 'does not attach for pods that ended', pods: [pod('Succeeded')] },
    { name: 'attaches once', attachments: [attachment('k1', false)] },
    { name: 'lists what is attached', attachments: [attachment('k1')], attached: [NAME] },
    { name: 'refuses what another node holds', attachments: [attachment('k2')], refused: 1 },
    {
      name: 'shares what many may read',
      volume: volume(['ReadOnlyMany']),
      attachments: [attachment('k2')],
      attach: 1,
    },
    { name: 'detaches what nobody uses', pods: [], attachments: [attachment('k1')], detach: 1 },
    {
      name: 'not while the kubelet has it mounted',
      pods: [],
      node: node([NAME]),
      attachments: [attachment('k1')],
      attached: [NAME],
    },
    {
      name: 'but when the node is out of service',
      pods: [],
      node: node([NAME], OUT),
      attachments: [attachment('k1')],
      detach: 1,
    },
    {
      name: 'or has not been ready for long',
      pods: [],
      node: node([NAME]),
      attachments: [attachment('k1')],
      unusedMs: 360_000,
      detach: 1,
    },
    {
      name: 'but not by force where that is forbidden',
      pods: [],
      node: node([NAME]),
      attachments: [attachment('k1')],
      unusedMs: 360_000,
      neverForce: true,
      attached: [NAME],
    },
    {
      name: 'nor from a node that is ready',
      pods: [],
      node: {
        ...node([NAME]),
        status: { volumesInUse: [NAME], conditions: [{ type: 'Ready', status: 'True' }] },
      } as Node,
      attachments: [attachment('k1')],
      unusedMs: 360_000,
      attached: [NAME],
    },
  ])('$name', ({ attach = 0, refused = 0, detach = 0, attached = [], ...given }) => {
    const plan = planAttachments({
      node: given.node ?? node(),
      pods: given.pods ?? [pod()],
      claimOf: () => given.claim ?? claim(),
      volumeOf: () => given.volume ?? volume(),
      driverOf: () => given.driver,
      attachments: given.attachments ?? [],
      unusedMs: () => given.unusedMs ?? 0,
      neverForce: given.neverForce ?? false,
    });
    const counts = [plan.attach.length, plan.refused.length, plan.detach.length];
    expect(counts).toEqual([attach, refused, detach]);
    expect(plan.attached.map((one) => one.name)).toEqual(attached);
  });

  it.each([
    { name: 'nobody', users: [], want: "already exclusively attached to one node and can't be" },
    { name: 'a pod', users: [['a', 'n']], want: 'Volume is already used by pod(s) a' },
    {
      name: 'pods of other namespaces, too',
      users: [
        ['a', 'n'],
        ['b', 'n'],
        ['c', 'm'],
      ],
      want: 'Volume is already used by pod(s) a, b and 1 pod(s) in different namespaces',
    },
    {
      name: 'pods of other namespaces',
      users: [['c', 'm']],
      want: 'Volume is already used by 1 pod(s) in different namespaces',
    },
  ])('says that another node holds it for $name', ({ users, want }) => {
    const plan = planAttachments({
      node: node(),
      pods: [pod()],
      claimOf: () => claim(),
      volumeOf: () => volume(),
      driverOf: () => undefined,
      attachments: [attachment('k2')],
      podsOn: () =>
        users.map(([name, namespace]) => ({ ...pod(), metadata: { name, namespace } }) as Pod),
    });
    expect(plan.refused[0]?.message).toContain(`Multi-Attach error for volume "v" `);
    expect(plan.refused[0]?.message).toContain(want);
  });
});
