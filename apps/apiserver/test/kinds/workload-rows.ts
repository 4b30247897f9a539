import type { Json } from '../replica.js';
import type { KindRows } from './kind-row.js';
import { labels } from './kind-row.js';
import { maximalPodSpec } from './maximal-pod.js';

const podSpec = { ...maximalPodSpec, restartPolicy: 'Always', activeDeadlineSeconds: undefined };
const template = { metadata: { labels }, spec: podSpec };
const jobTemplate = { metadata: { labels }, spec: maximalPodSpec };
const frozenSelector = (now: string): readonly [Json, string, string] => [
  {
    spec: {
      selector: { matchLabels: { tier: 'x' } },
      template: { metadata: { labels: { tier: 'x' } } },
    },
  },
  'spec.selector',
  `Invalid value: ${now}: field is immutable`,
];
const SELECTOR = '{"matchLabels":{"app":"web","tier":"x"}}';
const STATEFUL_FORBIDDEN =
  "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const rolling = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } };

export const workloadRows: KindRows = {
  'apps/v1/deployments': {
    maximal: {
      spec: {
        replicas: 3,
        template,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '10%', maxUnavailable: 0 } },
        minReadySeconds: 4,
        revisionHistoryLimit: 2,
        progressDeadlineSeconds: 60,
        paused: true,
      },
    },
    defaults: {
      spec: {
        replicas: 1,
        strategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
        },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        template: {
          spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'Always' }] },
        },
      },
      status: {},
    },
    change: { spec: { replicas: 5 } },
    frozen: [frozenSelector(SELECTOR)],
    status: { replicas: 3, updatedReplicas: 2, observedGeneration: 1 },
  },
  'apps/v1/replicasets': {
    maximal: { spec: { replicas: 3, template, minReadySeconds: 4 } },
    defaults: { spec: { replicas: 1 }, status: { replicas: 0 } },
    change: { spec: { replicas: 5 } },
    frozen: [frozenSelector(SELECTOR)],
    status: { replicas: 3, readyReplicas: 2, fullyLabeledReplicas: 3 },
  },
  'apps/v1/daemonsets': {
    maximal: {
      spec: { template, updateStrategy: rolling, minReadySeconds: 4, revisionHistoryLimit: 1 },
    },
    defaults: {
      spec: {
        updateStrategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
        },
        revisionHistoryLimit: 10,
      },
      status: {
        currentNumberScheduled: 0,
        numberMisscheduled: 0,
        desiredNumberScheduled: 0,
        numberReady: 0,
      },
    },
    change: { spec: { minReadySeconds: 9 } },
    frozen: [frozenSelector(SELECTOR)],
    status: {
      currentNumberScheduled: 1,
      numberMisscheduled: 0,
      desiredNumberScheduled: 2,
      numberReady: 1,
    },
  },
  'apps/v1/statefulsets': {
    maximal: {
      spec: {
        replicas: 3,
        template,
        serviceName: 'web',
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
        ordinals: { start: 1 },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
    defaults: {
      spec: {
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        revisionHistoryLimit: 10,
      },
      status: { replicas: 0, availableReplicas: 0 },
    },
    change: { spec: { replicas: 5 } },
    frozen: [[{ spec: { podManagementPolicy: 'Parallel' } }, 'spec', STATEFUL_FORBIDDEN]],
    status: { replicas: 3, readyReplicas: 1, availableReplicas: 1 },
  },
  'apps/v1/controllerrevisions': {
    maximal: { data: { spec: { a: [1, 'b'] } }, revision: 7 },
    change: { revision: 8 },
    frozen: [[{ data: { other: 1 } }, 'data', 'Invalid value: {"other":1}: field is immutable']],
  },
  'batch/v1/jobs': {
    maximal: {
      spec: {
        parallelism: 2,
        completions: 4,
        backoffLimit: 1,
        activeDeadlineSeconds: 100,
        ttlSecondsAfterFinished: 10,
        completionMode: 'Indexed',
        suspend: true,
        podReplacementPolicy: 'Failed',
        template: { ...jobTemplate, spec: { ...maximalPodSpec, restartPolicy: 'Never' } },
        podFailurePolicy: {
          rules: [
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          ],
        },
      },
    },
    defaults: {
      spec: {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        podReplacementPolicy: 'TerminatingOrFailed',
        manualSelector: false,
      },
      status: {},
    },
    change: { spec: { parallelism: 3 } },
    frozen: [
      [{ spec: { completions: 9 } }, 'spec.completions', 'Invalid value: 9: field is immutable'],
    ],
    status: { active: 1, ready: 0, startTime: '2026-01-01T00:00:00Z' },
  },
  'batch/v1/cronjobs': {
    maximal: {
      spec: {
        schedule: '0 3 * * 1-5',
        timeZone: 'Europe/Vienna',
        startingDeadlineSeconds: 30,
        concurrencyPolicy: 'Forbid',
        suspend: true,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 2,
        jobTemplate: { spec: { backoffLimit: 2, template: jobTemplate } },
      },
    },
    defaults: {
      spec: {
        concurrencyPolicy: 'Allow',
        suspend: false,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 1,
      },
      status: {},
    },
    change: { spec: { suspend: true } },
    status: { lastScheduleTime: '2026-01-01T00:00:00Z' },
  },
  'autoscaling/v2/horizontalpodautoscalers': {
    maximal: {
      spec: {
        minReplicas: 2,
        maxReplicas: 9,
        scaleTargetRef,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
          },
          {
            type: 'Pods',
            pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '1k' } },
          },
          {
            type: 'Object',
            object: {
              describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'i' },
              metric: { name: 'hits' },
              target: { type: 'Value', value: '10' },
            },
          },
          {
            type: 'External',
            external: {
              metric: { name: 'queue', selector: { matchLabels: labels } },
              target: { type: 'Value', value: '30' },
            },
          },
        ],
        behavior: {
          scaleDown: {
            stabilizationWindowSeconds: 60,
            selectPolicy: 'Min',
            policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
          },
        },
      },
    },
    defaults: {
      spec: {
        minReplicas: 1,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
          },
        ],
      },
      status: { desiredReplicas: 0 },
    },
    change: { spec: { maxReplicas: 12 } },
    status: { currentReplicas: 1, desiredReplicas: 2 },
  },
  'autoscaling/v1/horizontalpodautoscalers': {
    maximal: { spec: { minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 60 } },
    defaults: { spec: { minReplicas: 1 }, status: { currentReplicas: 0, desiredReplicas: 0 } },
    change: { spec: { maxReplicas: 12 } },
    status: { currentReplicas: 1, desiredReplicas: 2 },
  },
  'policy/v1/poddisruptionbudgets': {
    maximal: {
      spec: {
        minAvailable: '50%',
        selector: { matchLabels: labels },
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      },
    },
    change: { spec: { minAvailable: 2 } },
    status: { currentHealthy: 1, desiredHealthy: 2, disruptionsAllowed: 0, expectedPods: 3 },
  },
};
