// How long history lasts: what a renewal of a Lease, and an update of an object, add to etcd's data, with and without
// cause records; and from that, how long half of the quota holds the load of 1,000 nodes that only renew their Leases.
// 2 GiB is etcd's default quota, 8 GiB that of npm start. BENCH_ROUNDS (3), BENCH_RENEWALS per round (10,000).
import http from 'node:http';
import https from 'node:https';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from './table.mjs';
import { ETCD_PROGRAM, etcdFlags } from './etcd.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const RENEWALS = Number(process.env.BENCH_RENEWALS ?? 10_000);
const NODES = 1000;
const RENEW_SECONDS = 10;
const CONNECTIONS = 32;
const ETCD = '127.222.31.1';
const HOSTS = { with: '127.222.31.2', without: '127.222.31.3' };
const QUOTAS = { '2 GiB': 2 * 1024 ** 3, '8 GiB': 8 * 1024 ** 3 };
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const MAPS = '/api/v1/namespaces/default/configmaps';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.ORRERY_DIST ?? join(home, 'dist');
const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'));
const children = [];
const agent = new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS });

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  children.push(child);
}

function ask(host, method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer bench', 'content-type': 'application/json' };
    // As kubelets do: what a client says of itself is a part of what is stored.
    headers['user-agent'] = 'kubelet/v1.36.4 (linux/amd64) kubernetes/0000000';
    const options = { host, port: 6443, method, path, headers, agent, rejectUnauthorized: false };
    const request = https.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const version = /"resourceVersion":"(\d+)"/.exec(text)?.[1];
        if (version && body)
          versions.set(`${path.replace(/\/[^/]*-\d+$/, '')}/${nameIn(body)}`, version);
        resolve(response.statusCode);
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** The newest resourceVersion by path: a renewal names the one it replaces, as those of kubelets do. */
const versions = new Map();
const nameIn = (body) => JSON.parse(body).metadata.name;

function inUse() {
  return new Promise((resolve, reject) => {
    const request = http.get(`http://${ETCD}:2379/metrics`, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const found = /^etcd_mvcc_db_total_size_in_use_in_bytes (\S+)$/m.exec(text);
        resolve(Number(found?.[1]));
      });
    });
    request.on('error', reject);
  });
}

async function many(count, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const status = await work(next++);
      if (status >= 300) throw new Error(`a request of the bench was answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

const micro = () => `${new Date().toISOString().slice(0, 23)}000Z`;
const lease = (i) =>
  JSON.stringify({
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    metadata: {
      name: `node-${i}`,
      namespace: 'kube-node-lease',
      resourceVersion: versions.get(`${LEASES}/node-${i}`),
    },
    spec: { holderIdentity: `node-${i}`, leaseDurationSeconds: 40, renewTime: micro() },
  });
const map = (i) =>
  JSON.stringify({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: `m-${i}` },
    data: { now: micro(), text: 'v'.repeat(300) },
  });

const WRITES = {
  'renewal of a Lease': (host) => (i) =>
    ask(host, 'PUT', `${LEASES}/node-${i % NODES}`, lease(i % NODES)),
  'update of a ConfigMap': (host) => (i) =>
    ask(host, 'PUT', `${MAPS}/m-${i % NODES}`, map(i % NODES)),
};

async function main() {
  writeFileSync(join(folder, 'tokens.csv'), 'bench,system:node:bench,bench,"system:masters"\n');
  start(ETCD_PROGRAM, etcdFlags(ETCD, join(folder, 'etcd')));
  await sleep(500);
  for (const [causes, host] of Object.entries(HOSTS)) {
    start(process.execPath, [
      join(dist, 'kube-apiserver.js'),
      `--etcd-servers=http://${ETCD}:2379`,
      `--bind-address=${host}`,
      `--token-auth-file=${join(folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      `--cause-records=${causes === 'with'}`,
      '--etcd-compaction-interval=0s',
    ]);
    for (let i = 0; i < 600; i++) {
      if ((await ask(host, 'GET', '/readyz').catch(() => 0)) === 200) break;
      await sleep(50);
    }
  }
  await many(NODES, (i) => ask(HOSTS.with, 'POST', LEASES, lease(i)));
  await many(NODES, (i) => ask(HOSTS.with, 'POST', MAPS, map(i)));
  const rows = [];
  const add = (name, unit, value) => {
    const known = rows.find((row) => row.name === name && row.unit === unit);
    if (known) known.samples.push(value);
    else rows.push({ name, unit, samples: [value] });
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, writing] of Object.entries(WRITES)) {
      for (const [causes, host] of Object.entries(HOSTS)) {
        await sleep(300);
        const before = await inUse();
        await many(RENEWALS, writing(host));
        await sleep(300);
        const each = ((await inUse()) - before) / RENEWALS;
        add(`${name}, ${causes} causes`, 'bytes', each);
        if (name !== 'renewal of a Lease') continue;
        for (const [quota, bytes] of Object.entries(QUOTAS)) {
          const seconds = bytes / 2 / ((each * NODES) / RENEW_SECONDS);
          add(`half of ${quota}, ${causes} causes`, 'hours', seconds / 3600);
        }
      }
    }
  }
  printTable(
    `History: ${NODES} nodes that renew every ${RENEW_SECONDS} s, ${RENEWALS} writes a sample`,
    rows,
  );
}

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
