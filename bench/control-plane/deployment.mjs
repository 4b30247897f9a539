// A Deployment of 3,000 replicas on 500 bare nodes: pods created and bound a second, and the memory after it.
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from '../table.mjs';
import { sidesToMeasure, upstreamVersion } from './sides.mjs';
import { Stand } from './stand.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const REPLICAS = Number(process.env.BENCH_PODS ?? 3000);
const NODES = Number(process.env.BENCH_NODES ?? 500);

export const deployment = (name, replicas, spec = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'registry.k8s.io/pause:3.10',
            resources: { requests: { cpu: '100m', memory: '64Mi' } },
          },
        ],
        ...spec,
      },
    },
  },
});

async function round(side) {
  const stand = new Stand(side);
  try {
    await stand.open();
    await stand.createNodes(NODES);
    stand.startControlPlane();
    // Behind a process's first 15 s its start is over (apps/cli/src/launch).
    await sleep(16_000);
    const pods = '/api/v1/namespaces/default/pods';
    const created = await stand.countAdded(`${pods}?watch=1&resourceVersion=0`);
    const bound = await stand.countAdded(
      `${pods}?watch=1&resourceVersion=0&fieldSelector=spec.nodeName!%3D`,
    );
    const cpu = stand.cpu();
    const asked = await stand.requests();
    const began = performance.now();
    await stand.ask(
      'POST',
      '/apis/apps/v1/namespaces/default/deployments',
      deployment('load', REPLICAS),
    );
    const [allCreated, allBound] = await Promise.all([
      created.until(REPLICAS),
      bound.until(REPLICAS),
    ]);
    const after = stand.cpu();
    await sleep(2000);
    const requests = await stand.requests();
    for (const name of Object.keys(requests)) requests[name] -= asked[name] ?? 0;
    const used = Object.fromEntries(Object.entries(after).map(([k, v]) => [k, v - cpu[k]]));
    return {
      created: REPLICAS / ((allCreated - began) / 1000),
      bound: REPLICAS / ((allBound - began) / 1000),
      memory: stand.memory(),
      cpu: used,
      requests,
      sockets: stand.connections('apiserver'),
    };
  } finally {
    await stand.close();
  }
}

export async function measureDeployment() {
  const sides = sidesToMeasure(['orrery', 'upstream', 'mixed']);
  const rows = [];
  const add = (name, unit, value) => {
    const known = rows.find((row) => row.name === name && row.unit === unit);
    if (known) known.samples.push(value);
    else rows.push({ name, unit, samples: [value] });
  };
  for (let i = 0; i < ROUNDS; i++)
    for (const side of sides) {
      const result = await round(side);
      add(`${side}: pods created`, '/s', result.created);
      add(`${side}: pods bound`, '/s', result.bound);
      const sum = (each) => Object.values(each).reduce((a, b) => a + b, 0);
      add(`${side}: memory of the four`, 'MB', sum(result.memory));
      for (const [name, value] of Object.entries(result.memory))
        add(`${side}:   ${name}`, 'MB', value);
      for (const [name, value] of Object.entries(result.cpu))
        add(`${side}:   ${name}`, 'cpu s', value);
      add(`${side}: sockets of the API server`, '', result.sockets);
      for (const [name, value] of Object.entries(result.requests))
        if (value >= REPLICAS / 100) add(`${side}:   ${name}`, 'requests', value);
    }
  printTable(
    `Deployment of ${REPLICAS} replicas on ${NODES} bare nodes (upstream: ${upstreamVersion()})`,
    rows,
  );
}
