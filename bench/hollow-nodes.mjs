// What a hollow node without pods costs: memory of the process with many nodes less that with one, after a collection, and
// CPU time of all while they idle. BENCH_NODES=2000, BENCH_SECONDS=60, BENCH_ROUNDS=1.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Stand, cpuOf } from './control-plane/stand.mjs';
import { printTable } from './table.mjs';

const NODES = Number(process.env.BENCH_NODES ?? 2000);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 1);
const here = dirname(fileURLToPath(import.meta.url));

async function memoryOf(pid, file) {
  process.kill(pid, 'SIGUSR2');
  while (!existsSync(file)) await sleep(100);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The process with `count` nodes, some time after all of them are there. */
async function measure(count) {
  const stand = new Stand();
  const folder = mkdtempSync(join(tmpdir(), 'orrery-hollow-'));
  const file = join(folder, 'memory.json');
  process.env.MEMORY_PROBE = file;
  try {
    await stand.open();
    const nodes = await stand.countAdded('/api/v1/nodes?watch=1&resourceVersion=0');
    process.env.BENCH_NODE_HOLLOW_NODES ??= `--expose-gc --import=${join(here, 'control-plane', 'memory-probe.mjs')}`;
    const { pid } = stand.startNode('hollow-nodes', 'orrery', [
      'hollow-nodes',
      `--kubeconfig=${stand.kubeconfig}`,
      `--root-dir=${join(stand.folder, 'nodes')}`,
      `--hollow-nodes=${count}`,
    ]);
    await nodes.until(count);
    await sleep(15_000);
    const before = stand.cpu();
    const began = performance.now();
    await sleep(count > 1 ? SECONDS * 1000 : 5_000);
    const minutes = (performance.now() - began) / 60_000;
    const after = stand.cpu();
    const cpu = (name) => (after[name] - before[name]) / minutes;
    const memory = await memoryOf(pid, file);
    return {
      ...memory,
      cpu: cpu('hollow-nodes'),
      serverCpu: cpu('apiserver'),
      etcdCpu: cpu('etcd'),
      all: cpuOf(pid),
    };
  } finally {
    await stand.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const rows = new Map();
const add = (name, unit, value) => {
  if (!rows.has(name)) rows.set(name, { name, unit, samples: [] });
  rows.get(name).samples.push(value);
};
for (let i = 0; i < ROUNDS; i++) {
  const one = await measure(1);
  const many = await measure(NODES);
  const each = (field) => (many[field] - one[field]) / (NODES - 1) / 1000;
  add('resident a node', 'kB', each('rss'));
  add('resident a node, before the collection', 'kB', each('before'));
  add('live heap a node', 'kB', each('heapUsed'));
  add('heap a node', 'kB', each('heapTotal'));
  add('resident, one node', 'MB', one.rss / 1e6);
  add(`resident, ${NODES} nodes`, 'MB', many.rss / 1e6);
  add(`CPU of ${NODES} idle nodes a minute`, 's', many.cpu);
  add('... of the API server meanwhile', 's', many.serverCpu);
  add('... of etcd meanwhile', 's', many.etcdCpu);
}
printTable(`${NODES} hollow nodes without pods`, [...rows.values()]);
process.exit();
