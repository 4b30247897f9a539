import type { KubeObject } from '@orrery/apimachinery';
import { describe, expect, it } from '@jest/globals';
import { describeActor, isComponent } from './actor.js';
import type { Actor } from './model.js';
import { toWrite } from './to-write.js';

const object = (kind: string, more: object = {}): KubeObject =>
  ({
    kind,
    apiVersion: 'v1',
    metadata: { name: 'x', namespace: 'default' },
    ...more,
  }) as KubeObject;

const name = (kind: string) => ({
  group: '',
  version: 'v1',
  kind,
  resource: 'x',
  namespace: 'default',
  name: 'x',
});

interface Case {
  readonly name: string;
  readonly before?: KubeObject;
  readonly after?: KubeObject;
  readonly want: string;
}

const workload = (kind: string, spec: object, status: object = {}): KubeObject =>
  object(kind, {
    spec: { ...spec, template: { spec: { containers: [{ name: 'c', image: 'nginx:1' }] } } },
    status,
  });

const pod = (spec: object, status: object = {}): KubeObject =>
  object('Pod', { spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...spec }, status });

const ready = { conditions: [{ type: 'Ready', status: 'True' }] };

describe('the summary of a write', () => {
  it.each<Case>([
    {
      name: 'a Deployment',
      after: workload('Deployment', { replicas: 2 }),
      want: 'created: 2 replicas of nginx:1',
    },
    {
      name: 'one replica',
      after: workload('ReplicaSet', { replicas: 1 }),
      want: 'created: 1 replica of nginx:1',
    },
    { name: 'a DaemonSet', after: workload('DaemonSet', {}), want: 'created: nginx:1' },
    { name: 'a Pod', after: pod({}), want: 'created: nginx:1' },
    {
      name: 'a Service',
      after: object('Service', {
        spec: { type: 'NodePort', ports: [{ port: 80 }, { port: 53, protocol: 'UDP' }] },
      }),
      want: 'created: NodePort 80/TCP, 53/UDP',
    },
    {
      name: 'an Event',
      after: object('Event', { reason: 'Killing', message: 'Stopping' }),
      want: 'created: Killing: Stopping',
    },
    { name: 'any other kind', after: object('ConfigMap'), want: 'created' },
    { name: 'a value that is no object', want: 'created' },
    { name: 'a binding', before: pod({}), after: pod({ nodeName: 'n1' }), want: 'bound to n1' },
    {
      name: 'a pod that runs',
      before: pod({ nodeName: 'n1' }, { phase: 'Pending' }),
      after: pod({ nodeName: 'n1' }, { phase: 'Running', podIP: '10.0.0.1', ...ready }),
      want: 'Running, ready, 10.0.0.1',
    },
    {
      name: 'a pod that crashes',
      before: pod({ nodeName: 'n1' }, { phase: 'Running', ...ready }),
      after: pod(
        { nodeName: 'n1' },
        {
          phase: 'Running',
          containerStatuses: [{ name: 'c', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
        },
      ),
      want: 'Running, no longer ready, c: CrashLoopBackOff',
    },
    {
      name: 'a pod of which only bookkeeping changed',
      before: pod({ nodeName: 'n1' }, { phase: 'Running', ...ready, qosClass: 'A' }),
      after: pod({ nodeName: 'n1' }, { phase: 'Running', ...ready, qosClass: 'B' }),
      want: 'status.qosClass: A -> B',
    },
    {
      name: 'a pod without a node',
      before: pod({}, { phase: 'Pending' }),
      after: pod(
        {},
        {
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
        },
      ),
      want: 'Pending, Unschedulable',
    },
    {
      name: "a workload's status",
      before: workload('Deployment', { replicas: 3 }, { replicas: 3, readyReplicas: 1 }),
      after: workload('Deployment', { replicas: 3 }, { replicas: 3, readyReplicas: 2 }),
      want: 'status: ready 2/3',
    },
    {
      name: 'a scale',
      before: workload('Deployment', { replicas: 1 }),
      after: workload('Deployment', { replicas: 3 }),
      want: 'spec.replicas: 1 -> 3',
    },
    {
      name: 'a deletion that waits',
      before: object('Pod'),
      after: {
        ...object('Pod'),
        metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' },
      },
      want: 'deletion requested',
    },
    {
      name: 'many changes',
      before: object('ConfigMap', { data: { a: '1', b: '1', c: '1' } }),
      after: object('ConfigMap', { data: { a: '2', b: '2', c: '2' } }),
      want: 'data.a: 1 -> 2, data.b: 1 -> 2, 1 more',
    },
    {
      name: 'a heartbeat',
      before: object('Node', {
        status: { conditions: [{ type: 'Ready', lastHeartbeatTime: '1' }] },
      }),
      after: object('Node', {
        status: { conditions: [{ type: 'Ready', lastHeartbeatTime: '2' }] },
      }),
      want: 'status.conditions[Ready].lastHeartbeatTime: 1 -> 2',
    },
  ])('tells of $name', ({ before, after, want }) => {
    const type = before ? 'MODIFIED' : 'ADDED';
    const kind = after?.kind ?? '';
    expect(toWrite({ revision: 9, type, object: name(kind), before, after }).summary).toBe(want);
  });

  it('says when a state is compacted away or gone', () => {
    const facts = { revision: 9, object: name('Pod') };
    expect(toWrite({ ...facts, type: 'MODIFIED', after: pod({}) }).summary).toBe(
      'changed (the state before is compacted away)',
    );
    expect(toWrite({ ...facts, type: 'DELETED', before: pod({}) }).summary).toBe('deleted');
  });

  it('names the containers that were started', () => {
    const running = { running: { startedAt: '2026-01-01T00:00:01Z' } };
    const after = pod(
      { nodeName: 'n' },
      { phase: 'Running', containerStatuses: [{ name: 'c', image: 'nginx:1', state: running }] },
    );
    const write = toWrite({
      revision: 9,
      type: 'MODIFIED',
      object: name('Pod'),
      before: pod({ nodeName: 'n' }),
      after,
    });
    expect(write.started).toEqual([
      { name: 'c', image: 'nginx:1', startedAt: '2026-01-01T00:00:01Z' },
    ]);
  });

  it('does not believe that somebody reacted to what had not been', () => {
    const cause = { time: 0, user: 'a', reactedTo: 9 };
    expect(
      toWrite({ revision: 9, type: 'ADDED', object: name('Pod'), cause }).reactedTo,
    ).toBeUndefined();
    expect(toWrite({ revision: 10, type: 'ADDED', object: name('Pod'), cause }).reactedTo).toBe(9);
  });
});

describe('describeActor()', () => {
  it.each<{ actor: Actor | undefined; want: string; component: boolean }>([
    {
      actor: { user: 'alice', agent: 'kubectl/v1.36.4 (linux)', manager: 'kubectl-create' },
      want: 'alice with kubectl create',
      component: false,
    },
    {
      actor: { user: 'alice', agent: 'kubectl/v1', manager: 'kubectl-client-side-apply' },
      want: 'alice with kubectl apply',
      component: false,
    },
    { actor: { user: 'alice', agent: 'curl/8.1' }, want: 'alice with curl', component: false },
    { actor: { user: 'alice' }, want: 'alice', component: false },
    {
      actor: { user: 'system:admin', agent: 'kubectl/v1' },
      want: 'system:admin with kubectl',
      component: false,
    },
    {
      actor: {
        user: 'system:kube-controller-manager',
        agent: 'kube-controller-manager',
        controller: 'replicaset-controller',
      },
      want: 'replicaset-controller (kube-controller-manager)',
      component: true,
    },
    {
      actor: {
        user: 'system:kube-scheduler',
        agent: 'kube-scheduler/v1.20.2',
        controller: 'scheduler',
      },
      want: 'kube-scheduler',
      component: true,
    },
    {
      actor: { user: 'system:node:n1', agent: 'kubelet/v1.20.2' },
      want: 'kubelet on n1',
      component: true,
    },
    {
      actor: {
        user: 'system:serviceaccount:kube-system:replicaset-controller',
        agent: 'kube-controller-manager/v1.20.2',
      },
      want: 'kube-controller-manager (kube-system/replicaset-controller)',
      component: true,
    },
    {
      actor: { user: 'admin', agent: 'kube-controller-manager/v1.20.2 (linux/amd64)' },
      want: 'kube-controller-manager',
      component: true,
    },
    { actor: { user: 'system:serviceaccount:ops:bot' }, want: 'ops/bot', component: true },
    { actor: { user: 'alice', agent: 'my-operator/1.0' }, want: 'my-operator', component: true },
    { actor: undefined, want: 'unknown', component: false },
  ])('$want', ({ actor, want, component }) => {
    expect(describeActor(actor)).toBe(want);
    expect(actor !== undefined && isComponent(actor)).toBe(component);
  });
});
