import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import type { ResourceQuota, ResourceRef } from '@orrery/api';
import { resources } from '@orrery/api';
import { quotaStatus } from './resourcequota.decide.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');

const pod = (spec: object = {}, status: object = {}, metadata: object = {}): KubeObject =>
  ({
    metadata: { name: 'p', ...metadata },
    spec: { containers: [], ...spec },
    status,
  }) as KubeObject;

const asking = (cpu: string, memory: string, limit = ''): object => ({
  containers: [
    {
      name: 'c',
      resources: { requests: { cpu, memory }, ...(limit ? { limits: { cpu: limit } } : {}) },
    },
  ],
});

const object = (spec: object = {}): KubeObject => ({ metadata: { name: 'o' }, spec }) as KubeObject;

interface Case {
  name: string;
  hard: Record<string, string>;
  spec?: object;
  ref?: unknown;
  objects: KubeObject[];
  want: Record<string, string>;
  before?: Record<string, string>;
}

describe('quotaStatus()', () => {
  it.each<Case>([
    { name: 'gives zero for nothing', hard: { pods: '5' }, objects: [], want: { pods: '0' } },
    {
      name: 'leaves out pods that ended, but not from count/pods',
      hard: { pods: '5', 'count/pods': '9' },
      objects: [pod(), pod({}, { phase: 'Succeeded' }), pod({}, { phase: 'Failed' })],
      want: { pods: '1', 'count/pods': '3' },
    },
    {
      name: 'leaves out pods whose grace period is over',
      hard: { pods: '5' },
      objects: [
        pod({}, {}, { deletionTimestamp: '2025-12-31T23:00:00Z', deletionGracePeriodSeconds: 30 }),
        pod({}, {}, { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 }),
      ],
      want: { pods: '1' },
    },
    {
      name: 'adds requests and limits',
      hard: { 'requests.cpu': '4', memory: '1Gi', 'limits.cpu': '8' },
      objects: [pod(asking('500m', '64Mi', '1')), pod(asking('250m', '64Mi', '2'))],
      want: { 'requests.cpu': '750m', memory: '128Mi', 'limits.cpu': '3' },
    },
    {
      name: 'counts best-effort pods alone',
      hard: { pods: '5' },
      spec: { scopes: ['BestEffort'] },
      objects: [pod(), pod(asking('1', '1Mi'))],
      want: { pods: '1' },
    },
    {
      name: 'counts pods with a deadline alone',
      hard: { pods: '5' },
      spec: { scopes: ['Terminating', 'BestEffort'] },
      objects: [pod(), pod({ activeDeadlineSeconds: 0 })],
      want: { pods: '1' },
    },
    {
      name: 'selects by priority class',
      hard: { pods: '5' },
      spec: {
        scopeSelector: {
          matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }],
        },
      },
      objects: [pod(), pod({ priorityClassName: 'high' }), pod({ priorityClassName: 'low' })],
      want: { pods: '1' },
    },
    {
      name: 'counts services, their node ports and load balancers',
      ref: resources.services,
      hard: { services: '5', 'services.nodeports': '5', 'services.loadbalancers': '5' },
      objects: [
        object({ type: 'ClusterIP', ports: [{}] }),
        object({ type: 'NodePort', ports: [{}, {}] }),
        object({ type: 'LoadBalancer', ports: [{}] }),
      ],
      want: { services: '3', 'services.nodeports': '3', 'services.loadbalancers': '1' },
    },
    {
      name: 'adds storage, by class too',
      ref: resources.persistentvolumeclaims,
      hard: {
        'requests.storage': '9Gi',
        'fast.storageclass.storage.k8s.io/requests.storage': '9Gi',
      },
      objects: [
        object({ resources: { requests: { storage: '1Gi' } } }),
        object({ resources: { requests: { storage: '2Gi' } }, storageClassName: 'fast' }),
      ],
      want: {
        'requests.storage': '3Gi',
        'fast.storageclass.storage.k8s.io/requests.storage': '2Gi',
      },
    },
    {
      name: 'counts by group',
      ref: resources.deployments,
      hard: { 'count/deployments.apps': '5' },
      objects: [object(), object()],
      want: { 'count/deployments.apps': '2' },
    },
    {
      name: 'keeps what admission booked for kinds that are not built in',
      hard: { 'count/widgets.example.com': '5' },
      before: { 'count/widgets.example.com': '3' },
      objects: [],
      want: { 'count/widgets.example.com': '3' },
    },
  ])('$name', ({ hard, spec, ref = resources.pods, objects, want, before }) => {
    const quota = {
      metadata: { name: 'q' },
      spec: { hard, ...spec },
      ...(before ? { status: { used: before } } : {}),
    } as ResourceQuota;
    const status = quotaStatus(quota, [{ ref: ref as ResourceRef, objects }], NOW);
    expect(status).toEqual({ hard, used: want });
  });
});
