// Upstream's scheduler_perf cases by their names, over the API: pods are created before the scheduler starts, so that what is
// measured is how fast it binds. BENCH_NODES=1000,5000; BENCH_CASES picks by name; BENCH_PODS pods are measured.
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from '../table.mjs';
import { CASES } from './perf-cases.mjs';
import { sidesToMeasure, upstreamVersion } from './sides.mjs';
import { Stand, bareNode } from './stand.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 1);
const SIZES = (process.env.BENCH_NODES ?? '1000,5000').split(',').map(Number);
const MEASURED = Number(process.env.BENCH_PODS ?? 1000);
/** scheduler_perf's node-default.yaml, in one of three zones. */
const perfNode = (i) => {
  const node = bareNode(i);
  node.status.capacity = { pods: '110', cpu: '4', memory: '32Gi' };
  node.status.allocatable = node.status.capacity;
  return node;
};

const PODS = '/api/v1/namespaces/default/pods';
/** k8s scheduler_perf config/pv-aws.yaml and pvc.yaml, bound to each other. */
async function createVolume(stand, name) {
  const spec = { accessModes: ['ReadOnlyMany'] };
  await stand.ask('POST', '/api/v1/persistentvolumes', {
    metadata: { name },
    spec: {
      ...spec,
      awsElasticBlockStore: { volumeID: name },
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name },
    },
  });
  await stand.ask('POST', '/api/v1/namespaces/default/persistentvolumeclaims', {
    metadata: { name, annotations: { 'pv.kubernetes.io/bind-completed': 'true' } },
    spec: {
      ...spec,
      storageClassName: '',
      volumeName: name,
      resources: { requests: { storage: '1Gi' } },
    },
  });
}

const claimOf = (name) => [{ name: 'vol', persistentVolumeClaim: { claimName: name } }];

/** Before the clock runs, as upstream's cases do it. */
const prepare = (stand, name, count, { claims }) =>
  claims ? stand.many(count, (i) => createVolume(stand, `${name}-${i}`)) : undefined;

const create = (stand, name, count, { labels, spec, claims }) =>
  stand.many(count, (i) =>
    stand.ask('POST', PODS, {
      metadata: { name: `${name}-${i}`, labels },
      spec: {
        terminationGracePeriodSeconds: 0,
        ...spec,
        ...(claims ? { volumes: claimOf(`${name}-${i}`) } : {}),
      },
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
      await prepare(stand, `init-${i}`, count, template);
      await create(stand, `init-${i}`, count, template);
      before += waits ? count : 0;
    }
    await prepare(stand, 'measured', measured, measure);
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
