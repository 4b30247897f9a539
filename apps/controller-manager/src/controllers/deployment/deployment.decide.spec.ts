import { describe, expect, it } from '@jest/globals';
import type { Deployment, ReplicaSet } from '@orrery/api';
import { planDeployment } from './deployment.decide.js';
import { newReplicaSet, toRollout } from './revisions.js';
import { fenceposts } from './rollout.js';

const NOW = Date.parse('2026-01-01T00:10:00Z');

interface Shape {
  replicas?: number;
  image?: string;
  strategy?: Deployment['spec']['strategy'];
  paused?: boolean;
}

function deployment({ replicas = 10, image = 'a', strategy, paused }: Shape = {}): Deployment {
  return {
    metadata: { name: 'web', namespace: 'x', uid: 'd', generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy: strategy ?? {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
      },
      ...(paused ? { paused } : {}),
      progressDeadlineSeconds: 600,
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image }] },
      },
    },
  } as Deployment;
}

function set(of: Deployment, size: number, available = size, revision = 1): ReplicaSet {
  // As it comes from the wire: Jest's structuredClone gives objects of another realm.
  const made = JSON.parse(JSON.stringify(newReplicaSet(toRollout(of, []), size))) as ReplicaSet;
  const annotations = {
    ...made.metadata.annotations,
    'deployment.kubernetes.io/revision': String(revision),
  };
  return {
    ...made,
    metadata: {
      ...made.metadata,
      annotations,
      uid: `${made.metadata.name ?? ''}`,
      creationTimestamp: `2026-01-01T00:0${revision}:00Z`,
    },
    status: { replicas: size, readyReplicas: available, availableReplicas: available },
  };
}

const sizes = (plan: ReturnType<typeof planDeployment>): number[] =>
  plan.resizes.map(({ replicas }) => replicas);

describe('status.terminatingReplicas', () => {
  const told = (rs: ReplicaSet, status: object): ReplicaSet => ({
    ...rs,
    status: { replicas: 0, observedGeneration: 1, ...status },
  });
  const [old, next] = [deployment({ image: 'a' }), deployment({ image: 'b' })];

  it.each([
    { name: 'no ReplicaSet has none', sets: [], want: 0 },
    {
      name: 'those of all ReplicaSets are summed',
      sets: [
        told(set(old, 1, 1, 1), { terminatingReplicas: 2 }),
        told(set(next, 1, 1, 2), { terminatingReplicas: 1 }),
      ],
      want: 3,
    },
    {
      name: 'one that nobody has looked at yet has none',
      sets: [told(set(old, 1, 1, 1), { terminatingReplicas: 2 }), set(next, 1, 1, 2)],
      want: 2,
    },
    {
      name: 'one that was looked at and does not say leaves it open',
      sets: [told(set(old, 1, 1, 1), { terminatingReplicas: 2 }), told(set(next, 1, 1, 2), {})],
      want: undefined,
    },
  ])('$name', ({ sets, want }) => {
    const { status } = planDeployment(next, sets, [], NOW);
    expect(status.terminatingReplicas).toBe(want);
    expect('terminatingReplicas' in status).toBe(want !== undefined);
  });
});

describe('planDeployment()', () => {
  it('creates the first ReplicaSet in full size', () => {
    const plan = planDeployment(deployment(), [], [], NOW);
    expect(plan.create?.spec?.replicas).toBe(10);
    expect(plan.revision).toBe('1');
    expect(plan.status.conditions?.map(({ type, reason }) => [type, reason])).toEqual([
      ['Available', 'MinimumReplicasUnavailable'],
      ['Progressing', 'NewReplicaSetCreated'],
    ]);
  });

  it('creates the next ReplicaSet as large as the surge allows', () => {
    const next = deployment({ image: 'b' });
    const plan = planDeployment(next, [set(deployment(), 10)], [], NOW);
    expect(plan.create?.spec?.replicas).toBe(3);
    expect(plan.create?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
  });

  it.each([
    { name: 'shrinks the old set while enough are available', old: 10, fresh: 3, up: 3, want: [5] },
    { name: 'waits while new pods are not available', old: 8, fresh: 5, up: 0, want: [] },
    { name: 'grows the new set first when there is room', old: 8, fresh: 3, up: 3, want: [5] },
    { name: 'ends with nothing of the old set', old: 1, fresh: 10, up: 10, want: [0] },
  ])('$name', ({ old, fresh, up, want }) => {
    const next = deployment({ image: 'b' });
    const plan = planDeployment(next, [set(deployment(), old), set(next, fresh, up, 2)], [], NOW);
    expect(sizes(plan)).toEqual(want);
  });

  it('removes unhealthy old pods first', () => {
    const next = deployment({ image: 'b' });
    const sets = [set(deployment(), 10, 8), set(next, 3, 0, 2)];
    expect(sizes(planDeployment(next, sets, [], NOW))).toEqual([8]);
  });

  it('spreads a change of size over the sets of a rollout', () => {
    const before = deployment({ image: 'b' });
    const sets = [set(deployment(), 8), set(before, 5, 0, 2)];
    const plan = planDeployment(deployment({ image: 'b', replicas: 20 }), sets, [], NOW);
    expect(sizes(plan).reduce((a, b) => a + b, 0)).toBe(25);
    expect(sizes(plan)).toEqual([15, 10]);
  });

  it('with Recreate makes no new pod while an old one is there', () => {
    const strategy = { type: 'Recreate' } as const;
    const next = deployment({ image: 'b', strategy });
    const old = deployment({ strategy });
    expect(sizes(planDeployment(next, [set(old, 10)], [], NOW))).toEqual([0]);
    const leaving = {
      metadata: { name: 'p', deletionTimestamp: 'x' },
      spec: { containers: [] },
    };
    expect(planDeployment(next, [set(old, 0)], [leaving], NOW).create).toBeUndefined();
    expect(planDeployment(next, [set(old, 0)], [], NOW).create?.spec?.replicas).toBe(10);
  });

  it('makes no new ReplicaSet while paused, but scales', () => {
    const next = deployment({ image: 'b', paused: true, replicas: 4 });
    const plan = planDeployment(next, [set(deployment(), 10)], [], NOW);
    expect(plan.create).toBeUndefined();
    expect(sizes(plan)).toEqual([4]);
    expect(plan.status.conditions?.at(-1)?.reason).toBe('MinimumReplicasAvailable');
  });

  it('says when the rollout is done and forgets old sets beyond the limit', () => {
    const d = deployment();
    d.spec.revisionHistoryLimit = 0;
    d.status = {
      conditions: [{ type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated' }],
    };
    const old = set(deployment({ image: 'b' }), 0);
    const plan = planDeployment(d, [old, set(d, 10, 10, 2)], [], NOW);
    expect(plan.status.conditions?.find((c) => c.type === 'Progressing')?.reason).toBe(
      'NewReplicaSetAvailable',
    );
    expect(plan.remove).toEqual([old]);
  });
});

describe('fenceposts()', () => {
  it.each([
    { name: 'percentages', surge: '25%', unavailable: '25%', want: { surge: 3, unavailable: 2 } },
    { name: 'numbers', surge: 2, unavailable: 0, want: { surge: 2, unavailable: 0 } },
    { name: 'both none', surge: 0, unavailable: '5%', want: { surge: 0, unavailable: 1 } },
  ])('resolves $name', ({ surge, unavailable, want }) => {
    const d = deployment({
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: surge as never, maxUnavailable: unavailable as never },
      },
    });
    expect(fenceposts(d)).toEqual(want);
  });
});
