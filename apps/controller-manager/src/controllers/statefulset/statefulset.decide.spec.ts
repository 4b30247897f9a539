import { describe, expect, it } from '@jest/globals';
import type { Pod, StatefulSet } from '@orrery/api';
import { ownersOfClaim } from './claim-retention.js';
import { giveIdentity } from './stateful-identity.js';
import { statefulSetStatus } from './statefulset-status.js';
import { planStatefulSet } from './statefulset.decide.js';
import type { StatefulWorld } from './statefulset.decide.js';

const NOW = Date.parse('2026-01-01T01:00:00Z');

interface Shape {
  ready?: boolean;
  phase?: string;
  revision?: string;
  leaving?: boolean;
}

function pod(
  ordinal: number,
  { ready = true, phase = 'Running', revision = 'web-a', leaving = false }: Shape = {},
): Pod {
  return {
    metadata: {
      name: `web-${ordinal}`,
      uid: `u${ordinal}`,
      labels: {
        'controller-revision-hash': revision,
        'statefulset.kubernetes.io/pod-name': `web-${ordinal}`,
        'apps.kubernetes.io/pod-index': String(ordinal),
      },
      ...(leaving ? { deletionTimestamp: '2026-01-01T00:59:00Z' } : {}),
    },
    spec: { containers: [] },
    status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  } as Pod;
}

const set = (replicas: number, spec: object = {}): StatefulSet =>
  ({
    metadata: { name: 'web', uid: 's', namespace: 'd', generation: 1 },
    spec: {
      replicas,
      serviceName: 'svc',
      selector: {},
      template: { spec: { containers: [] } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ...spec,
    },
  }) as StatefulSet;

const world = (of: StatefulSet, pods: Pod[], updateRevision = 'web-a'): StatefulWorld => ({
  set: of,
  pods,
  currentRevision: 'web-a',
  updateRevision,
  collisions: 0,
  now: NOW,
});

const parallel = { podManagementPolicy: 'Parallel' };
const rolling = (rollingUpdate: object): object => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate },
});

interface Case {
  name: string;
  set: StatefulSet;
  pods: Pod[];
  update?: string;
  wantCreate?: string[];
  wantRemove?: string[];
}

describe('planStatefulSet()', () => {
  it.each<Case>([
    { name: 'starts with the first pod', set: set(3), pods: [], wantCreate: ['0 web-a'] },
    {
      name: 'waits for the pod before',
      set: set(3),
      pods: [pod(0, { ready: false })],
    },
    { name: 'goes on when it is ready', set: set(3), pods: [pod(0)], wantCreate: ['1 web-a'] },
    {
      name: 'creates all at once in parallel',
      set: set(3, parallel),
      pods: [pod(1, { ready: false })],
      wantCreate: ['0 web-a', '2 web-a'],
    },
    {
      name: 'counts from the first ordinal',
      set: set(1, { ordinals: { start: 5 } }),
      pods: [],
      wantCreate: ['5 web-a'],
    },
    {
      name: 'replaces a failed pod, and creates no second one of its name',
      set: set(1),
      pods: [pod(0, { phase: 'Failed' })],
      wantRemove: ['web-0'],
    },
    { name: 'waits for a leaving pod', set: set(1), pods: [pod(0, { leaving: true })] },
    {
      name: 'scales down from the highest, one at a time',
      set: set(1),
      pods: [pod(0), pod(1), pod(2)],
      wantRemove: ['web-2'],
    },
    {
      name: 'does not scale down above an unhealthy pod',
      set: set(1),
      pods: [pod(0), pod(1, { ready: false }), pod(2, { ready: false })],
    },
    {
      name: 'does not scale down while a wanted pod is not ready',
      set: set(1),
      pods: [pod(0, { ready: false }), pod(1)],
    },
    {
      name: 'scales down all at once in parallel',
      set: set(0, parallel),
      pods: [pod(0), pod(1, { ready: false })],
      wantRemove: ['web-1', 'web-0'],
    },
    {
      name: 'rolls from the highest, one at a time',
      set: set(3),
      pods: [pod(0), pod(1), pod(2)],
      update: 'web-b',
      wantRemove: ['web-2'],
    },
    {
      name: 'rolls on when the new pod is ready',
      set: set(3),
      pods: [pod(0), pod(1), pod(2, { revision: 'web-b' })],
      update: 'web-b',
      wantRemove: ['web-1'],
    },
    {
      name: 'stops at the partition',
      set: set(3, rolling({ partition: 2 })),
      pods: [pod(0), pod(1), pod(2, { revision: 'web-b' })],
      update: 'web-b',
    },
    {
      name: 'creates below the partition by the current revision',
      set: set(2, { ...rolling({ partition: 1 }), ...parallel }),
      pods: [],
      update: 'web-b',
      wantCreate: ['0 web-a', '1 web-b'],
    },
    {
      name: 'rolls as many as may be unavailable',
      set: set(4, rolling({ maxUnavailable: '50%' })),
      pods: [pod(0), pod(1), pod(2), pod(3)],
      update: 'web-b',
      wantRemove: ['web-3', 'web-2'],
    },
    {
      name: 'leaves old pods alone with OnDelete',
      set: set(1, { updateStrategy: { type: 'OnDelete' } }),
      pods: [pod(0)],
      update: 'web-b',
    },
  ])('$name', ({ set: of, pods, update = 'web-a', wantCreate = [], wantRemove = [] }) => {
    const plan = planStatefulSet(world(of, pods, update));
    expect(plan.create.map(({ ordinal, revision }) => `${ordinal} ${revision}`)).toEqual(
      wantCreate,
    );
    expect(plan.remove.map(({ metadata }) => metadata.name)).toEqual(wantRemove);
  });
});

describe('statefulSetStatus()', () => {
  it('counts pods by revision while a rollout goes on', () => {
    const status = statefulSetStatus(
      world(set(2), [pod(0), pod(1, { revision: 'web-b', ready: false })], 'web-b'),
    );
    expect(status).toMatchObject({
      replicas: 2,
      readyReplicas: 1,
      currentReplicas: 1,
      updatedReplicas: 1,
      currentRevision: 'web-a',
      updateRevision: 'web-b',
    });
  });

  it('counts pods that end among all as among the ready ones', () => {
    const status = statefulSetStatus(world(set(2), [pod(0), pod(1, { leaving: true })], 'web-a'));
    expect(status).toMatchObject({ replicas: 2, readyReplicas: 2, currentReplicas: 1 });
  });

  it('makes the update revision the current one when all pods have it', () => {
    const status = statefulSetStatus(world(set(1), [pod(0, { revision: 'web-b' })], 'web-b'));
    expect(status).toMatchObject({ currentRevision: 'web-b', currentReplicas: 1 });
  });
});

describe('ownersOfClaim()', () => {
  const policy = (whenDeleted: string, whenScaled: string): StatefulSet =>
    set(1, { persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } });

  it.each([
    { name: 'nobody when retained', set: policy('Retain', 'Retain'), down: true, want: [] },
    { name: 'the set', set: policy('Delete', 'Retain'), down: true, want: ['StatefulSet'] },
    {
      name: 'the pod once scaled down',
      set: policy('Delete', 'Delete'),
      down: true,
      want: ['Pod'],
    },
    { name: 'nobody while wanted', set: policy('Retain', 'Delete'), down: false, want: [] },
  ])('is deleted with $name', ({ set: of, down, want }) => {
    const owners = ownersOfClaim(of, down ? pod(1) : undefined, []);
    expect(owners.map(({ kind }) => kind)).toEqual(want);
  });
});

describe('giveIdentity()', () => {
  it('names the pod in the network, labels it and mounts its claims', () => {
    const draft = pod(0);
    const of = set(1, { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }] });
    giveIdentity(draft, of, { ordinal: 3, revision: 'web-b' });
    expect(draft.spec).toMatchObject({ hostname: 'web-3', subdomain: 'svc' });
    expect(draft.spec?.volumes?.[0]?.persistentVolumeClaim?.claimName).toBe('data-web-3');
    expect(draft.metadata.labels?.['controller-revision-hash']).toBe('web-b');
  });
});
