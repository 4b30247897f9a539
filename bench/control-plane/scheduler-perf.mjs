// Upstream's scheduler_perf cases by their names, over the API: pods are created before the scheduler starts, so that what is
// measured is how fast it binds. BENCH_NODES=1000,5000; BENCH_CASES picks by name; BENCH_PODS pods are measured.
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from '../table.mjs';
import { Stand, bareNode, sidesToMeasure, upstreamVersion } from './stand.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 1);
const SIZES = (process.env.BENCH_NODES ?? '1000,5000').split(',').map(Number);
const MEASURED = Number(process.env.BENCH_PODS ?? 1000);
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

/** Pods that are there before (as a share of the nodes), and those that are measured. */
const CASES = {
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
    preempts: true,
  },
  Unschedulable: {
    init: [[{ labels: {}, spec: { containers: [container('9')] } }, 0.2]],
    measure: plain,
    waits: false,
  },
};

/** scheduler_perf's node-default.yaml, in one of three zones. */
const perfNode = (i) => {
  const node = bareNode(i);
  node.status.capacity = { pods: '110', cpu: '4', memory: '32Gi' };
  node.status.allocatable = node.status.capacity;
  return node;
};

const PODS = '/api/v1/namespaces/default/pods';
const create = (stand, name, count, { labels, spec }) =>
  stand.many(count, (i) =>
    stand.ask('POST', PODS, {
      metadata: { name: `${name}-${i}`, labels },
      spec: { terminationGracePeriodSeconds: 0, ...spec },
    }),
  );

async function round(side, nodes, { init, measure, most = Infinity, waits = true }) {
  const stand = new Stand(side);
  try {
    await stand.open();
    await stand.createNodes(nodes, perfNode);
    await stand.ask('POST', '/apis/scheduling.k8s.io/v1/priorityclasses', {
      metadata: { name: 'high' },
      value: 10,
    });
    const measured = Math.min(MEASURED, Math.floor(nodes * most));
    let before = 0;
    for (const [i, [template, share]] of init.entries()) {
      const count = Math.floor(nodes * share);
      await create(stand, `init-${i}`, count, template);
      before += waits ? count : 0;
    }
    const bound = await stand.countAdded(
      `${PODS}?watch=1&resourceVersion=0&fieldSelector=spec.nodeName!%3D`,
    );
    stand.startControlPlane({ controllers: false });
    await bound.until(before);
    await sleep(3000);
    const had = bound.count;
    const cpu = stand.cpu().scheduler;
    const began = performance.now();
    await create(stand, 'measured', measured, measure);
    const ended = await bound.until(had + measured);
    const used = stand.cpu().scheduler - cpu;
    return {
      rate: measured / ((ended - began) / 1000),
      cost: (used * 1000) / measured,
      memory: stand.memory().scheduler,
    };
  } finally {
    await stand.close();
  }
}

export async function measurePerf() {
  const rows = [];
  const add = (name, unit, value) => {
    const known = rows.find((row) => row.name === name && row.unit === unit);
    if (known) known.samples.push(value);
    else rows.push({ name, unit, samples: [value] });
  };
  const wanted = process.env.BENCH_CASES?.split(',');
  const sides = sidesToMeasure(['orrery', 'mixed']);
  for (const [name, each] of Object.entries(CASES)) {
    if (wanted && !wanted.includes(name)) continue;
    for (const nodes of SIZES)
      for (let i = 0; i < ROUNDS; i++)
        for (const side of sides) {
          const result = await round(side, nodes, each);
          const row = `${side}: ${name}/${nodes}Nodes`;
          add(row, 'bound/s', result.rate);
          add(row, 'ms cpu/pod', result.cost);
          add(row, 'MB', result.memory);
        }
  }
  printTable(
    `scheduler_perf over the API, ${MEASURED} pods (upstream: ${upstreamVersion()})`,
    rows,
  );
}
