// Many pods Running on hollow nodes: real pod workers over an in-memory runtime, real controllers and scheduler.
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { printTable } from '../table.mjs';
import { deployment } from './deployment.mjs';
import { Stand } from './stand.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const PODS = Number(process.env.BENCH_PODS ?? 10_000);
const NODES = Number(process.env.BENCH_NODES ?? 1000);
const REPLICAS = 1000;

async function round() {
  const stand = new Stand();
  try {
    await stand.open();
    const nodes = await stand.countAdded('/api/v1/nodes?watch=1&resourceVersion=0');
    stand.startNode('hollow-nodes', 'orrery', [
      'hollow-nodes',
      `--kubeconfig=${stand.kubeconfig}`,
      `--root-dir=${join(stand.folder, 'nodes')}`,
      `--hollow-nodes=${NODES}`,
    ]);
    stand.startControlPlane();
    await nodes.until(NODES);
    await sleep(10_000);
    const running = await stand.countAdded(
      '/api/v1/namespaces/default/pods?watch=1&resourceVersion=0&fieldSelector=status.phase%3DRunning',
    );
    const cpu = stand.cpu();
    const asked = await stand.requests();
    const began = performance.now();
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const count = Math.ceil(PODS / REPLICAS);
    await stand.many(count, (i) =>
      stand.ask('POST', path, deployment(`load-${i}`, Math.min(REPLICAS, PODS - i * REPLICAS))),
    );
    const ended = await running.until(PODS);
    const after = stand.cpu();
    const requests = await stand.requests();
    return {
      seconds: (ended - began) / 1000,
      memory: stand.memory(),
      cpu: Object.fromEntries(Object.entries(after).map(([k, v]) => [k, v - cpu[k]])),
      requests: Object.fromEntries(
        Object.entries(requests).map(([k, v]) => [k, v - (asked[k] ?? 0)]),
      ),
    };
  } finally {
    await stand.close();
  }
}

export async function measureRunning() {
  const rows = [{ name: 'until all are Running', unit: 's', samples: [] }];
  const add = (name, unit, value) => {
    const known = rows.find((row) => row.name === name && row.unit === unit);
    if (known) known.samples.push(value);
    else rows.push({ name, unit, samples: [value] });
  };
  for (let i = 0; i < ROUNDS; i++) {
    const { seconds, memory, cpu, requests } = await round();
    rows[0].samples.push(seconds);
    for (const [name, value] of Object.entries(cpu)) add(name, 'cpu s', value);
    for (const [name, value] of Object.entries(memory)) add(name, 'MB', value);
    for (const [name, value] of Object.entries(requests))
      if (value >= PODS / 50) add(name, 'requests', value);
  }
  printTable(`${PODS} pods on ${NODES} hollow nodes`, rows);
}
