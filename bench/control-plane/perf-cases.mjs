// Upstream's scheduler_perf cases (k8s test/integration/scheduler_perf/config/performance-config.yaml).
const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';

const container = (cpu = '100m', memory = '500Mi') => ({
  name: 'pause',
  image: 'registry.k8s.io/pause:3.10',
  ports: [{ containerPort: 80 }],
  resources: { requests: { cpu, memory } },
});
const term = (color, topologyKey) => ({
  labelSelector: { matchLabels: { color } },
  topologyKey,
});
const plain = { labels: {}, spec: { containers: [container()] } };
const withTerm = (kind, how, color, key) => ({
  labels: { color },
  spec: {
    affinity: {
      [kind]: {
        [how]: how.startsWith('required')
          ? [term(color, key)]
          : [{ weight: 1, podAffinityTerm: term(color, key) }],
      },
    },
    containers: [container()],
  },
});
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';
const spread = (whenUnsatisfiable) => ({
  labels: { color: 'blue' },
  spec: {
    topologySpreadConstraints: [
      {
        maxSkew: 5,
        topologyKey: ZONE,
        whenUnsatisfiable,
        labelSelector: { matchLabels: { color: 'blue' } },
      },
    ],
    containers: [container()],
  },
});

const withSecret = {
  labels: {},
  spec: {
    containers: [container()],
    volumes: [{ name: 'secret', secret: { secretName: 'secret' } }],
  },
};
/** Each pod with a volume and a claim of its own, bound already. */
const withVolume = { ...plain, claims: true };

/** Pods that are there before (as a share of the nodes), and those that are measured. */
export const CASES = {
  SchedulingBasic: { init: [[plain, 1]], measure: plain },
  SchedulingPodAntiAffinity: {
    init: [[withTerm('podAntiAffinity', REQUIRED, 'green', HOST), 0.1]],
    measure: withTerm('podAntiAffinity', REQUIRED, 'green', HOST),
    most: 0.8,
  },
  SchedulingPodAffinity: {
    init: [[withTerm('podAffinity', REQUIRED, 'blue', ZONE), 1]],
    measure: withTerm('podAffinity', REQUIRED, 'blue', ZONE),
  },
  SchedulingPreferredPodAffinity: {
    init: [[withTerm('podAffinity', PREFERRED, 'red', HOST), 1]],
    measure: withTerm('podAffinity', PREFERRED, 'red', HOST),
  },
  SchedulingPreferredPodAntiAffinity: {
    init: [[withTerm('podAntiAffinity', PREFERRED, 'yellow', HOST), 1]],
    measure: withTerm('podAntiAffinity', PREFERRED, 'yellow', HOST),
  },
  SchedulingNodeAffinity: {
    init: [[plain, 1]],
    measure: {
      labels: {},
      spec: {
        affinity: {
          nodeAffinity: {
            [REQUIRED]: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: ZONE, operator: 'In', values: ['zone-0', 'zone-1'] }] },
              ],
            },
          },
        },
        containers: [container()],
      },
    },
  },
  TopologySpreading: { init: [[plain, 1]], measure: spread('DoNotSchedule') },
  PreferredTopologySpreading: { init: [[plain, 1]], measure: spread('ScheduleAnyway') },
  MixedSchedulingBasePod: {
    init: [
      [plain, 0.4],
      [withTerm('podAffinity', REQUIRED, 'blue', ZONE), 0.4],
      [withTerm('podAntiAffinity', REQUIRED, 'green', HOST), 0.4],
      [withTerm('podAffinity', PREFERRED, 'red', HOST), 0.4],
      [withTerm('podAntiAffinity', PREFERRED, 'yellow', HOST), 0.4],
    ],
    measure: plain,
  },
  Preemption: {
    init: [[{ labels: {}, spec: { containers: [container('900m')] } }, 4]],
    measure: { labels: {}, spec: { priorityClassName: 'high', containers: [container('3000m')] } },
    most: 0.5,
  },
  SchedulingSecrets: { init: [[withSecret, 1]], measure: withSecret },
  SchedulingInTreePVs: { init: [[withVolume, 1]], measure: withVolume },
  PreemptionPVs: {
    init: [[{ labels: {}, spec: { containers: [container('900m')] } }, 4]],
    measure: {
      labels: {},
      claims: true,
      spec: { priorityClassName: 'high', containers: [container('3000m')] },
    },
    most: 0.5,
  },
  Unschedulable: {
    init: [[{ labels: {}, spec: { containers: [container('9')] } }, 0.2]],
    measure: plain,
    waits: false,
  },
};
