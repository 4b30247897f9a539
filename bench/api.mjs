// The API server's hot paths on a real etcd: creates, GET, LIST and watch fan-out. With KUBE_BIN_DIR and a kube-apiserver
// in it, upstream is measured beside it, in turn; quote the ratios. ORRERY_DIST_BEFORE names a second build to compare with,
// BENCH_QUORUM=1 adds the same server with --reads=quorum, BENCH_TASK=… picks tasks.
import https from 'node:https';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from './table.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const PODS = Number(process.env.BENCH_PODS ?? 2000);
const CONNECTIONS = 32;
const WATCHERS = 100;
const TOKEN = 'bench';
const TICKS_PER_SECOND = 100;

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.ORRERY_DIST ?? join(home, 'dist');
const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'));
const children = [];

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child;
}

/** Seconds of CPU that a process has used: what other work on the machine does not change much. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const residentOf = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

class Server {
  constructor(name, host, command, args) {
    this.name = name;
    this.host = host;
    this.agent = new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS + WATCHERS + 1 });
    this.process = start(command, args);
  }

  open(method, path, body) {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}`, accept: 'application/json' };
      if (body) headers['content-type'] = 'application/json';
      const options = { host: this.host, port: 6443, method, path, headers, agent: this.agent };
      const request = https.request({ ...options, rejectUnauthorized: false }, resolve);
      request.on('error', reject);
      request.end(body);
    });
  }

  async ask(method, path, body) {
    const response = await this.open(method, path, body);
    let bytes = 0;
    for await (const chunk of response) bytes += chunk.length;
    if (response.statusCode >= 300 && response.statusCode !== 404 && response.statusCode !== 409)
      throw new Error(`${this.name}: ${method} ${path}: ${response.statusCode}`);
    return { status: response.statusCode, bytes };
  }

  async ready() {
    for (let i = 0; i < 600; i++) {
      const answer = await this.ask('GET', '/readyz').catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(50);
    }
    throw new Error(`${this.name} does not become ready`);
  }
}

const flags = (prefix, host) => [
  `--etcd-servers=http://127.218.30.1:2379`,
  `--etcd-prefix=${prefix}`,
  `--bind-address=${host}`,
  `--advertise-address=${host}`,
  '--secure-port=6443',
  `--token-auth-file=${join(folder, 'tokens.csv')}`,
  '--authorization-mode=Node,RBAC',
  '--disable-admission-plugins=ServiceAccount',
];

function startServers() {
  const node = (name, from, host, ...more) =>
    new Server(name, host, process.execPath, [
      join(from, 'kube-apiserver.js'),
      ...flags(`/${name}`, host),
      ...more,
    ]);
  const servers = [node('orrery', dist, '127.218.30.2')];
  if (process.env.ORRERY_DIST_BEFORE)
    servers.push(node('before', process.env.ORRERY_DIST_BEFORE, '127.218.30.3'));
  if (process.env.BENCH_QUORUM)
    servers.push(node('quorum', dist, '127.218.30.5', '--reads=quorum'));
  const upstream = join(process.env.KUBE_BIN_DIR ?? '', 'kube-apiserver');
  if (process.env.KUBE_BIN_DIR && existsSync(upstream)) {
    const host = '127.218.30.4';
    const key = join(folder, 'sa.key');
    servers.push(
      new Server('upstream', host, upstream, [
        ...flags('/upstream', host),
        '--service-cluster-ip-range=10.96.0.0/16',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-signing-key-file=${key}`,
        `--service-account-key-file=${key}`,
        `--cert-dir=${folder}`,
      ]),
    );
  } else {
    process.stdout.write('KUBE_BIN_DIR names no kube-apiserver: upstream is not measured\n');
  }
  return servers;
}

const pod = (name) =>
  JSON.stringify({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, labels: { app: 'bench', 'pod-template-hash': '5d4f8c7b9' } },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'nginx:1.25',
          ports: [{ containerPort: 80 }],
          resources: { requests: { cpu: '100m', memory: '64Mi' } },
          env: [{ name: 'A', value: '1' }],
        },
      ],
    },
  });

const PODS_PATH = '/api/v1/namespaces/default/pods';
const MAPS_PATH = '/api/v1/namespaces/default/configmaps';

/** Runs `work` on many connections until `count` calls are done. */
async function many(count, work, connections = CONNECTIONS) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

let serial = 0;

const TASKS = {
  'create pods': {
    count: 400,
    run: (server, count) => {
      const round = serial++;
      return many(count, (i) => server.ask('POST', PODS_PATH, pod(`new-${round}-${i}`)));
    },
  },
  'create ConfigMaps': {
    count: 400,
    run: (server, count) => {
      const round = serial++;
      return many(count, (i) =>
        server.ask(
          'POST',
          MAPS_PATH,
          JSON.stringify({ metadata: { name: `m-${round}-${i}` }, data: { k: 'v'.repeat(200) } }),
        ),
      );
    },
  },
  'update a ConfigMap': {
    count: 200,
    run: async (server, count) => {
      const round = serial++;
      for (let i = 0; i < count; i++)
        await server.ask(
          'PUT',
          `${MAPS_PATH}/seed`,
          JSON.stringify({ metadata: { name: 'seed' }, data: { i: `${round}-${i}` } }),
        );
    },
  },
  'GET a pod, consistent': {
    count: 2000,
    run: (server, count) => many(count, () => server.ask('GET', `${PODS_PATH}/seed-1`)),
  },
  'GET a pod, resourceVersion=0': {
    count: 2000,
    run: (server, count) =>
      many(count, () => server.ask('GET', `${PODS_PATH}/seed-1?resourceVersion=0`)),
  },
  'LIST limit=500': {
    count: 40,
    run: (server, count) => many(count, () => server.ask('GET', `${PODS_PATH}?limit=500`), 4),
  },
  'LIST all, resourceVersion=0': {
    count: 10,
    run: (server, count) =>
      many(count, () => server.ask('GET', `${PODS_PATH}?resourceVersion=0`), 2),
  },
};

/** One round: calls a second, and calls for each second of the server's own CPU. */
async function measure(server, { count, run }) {
  const [cpu, started] = [cpuOf(server.process.pid), performance.now()];
  await run(server, count);
  const seconds = (performance.now() - started) / 1000;
  return { rate: count / seconds, perCpu: count / Math.max(0.01, cpuOf(server.process.pid) - cpu) };
}

/** Events that reach the watchers for each second of the server's CPU, while ConfigMaps are written. */
async function fanOut(server, writes) {
  const path = '/api/v1/namespaces/kube-public/configmaps';
  let events = 0;
  const watches = await Promise.all(
    Array.from({ length: WATCHERS }, async () => {
      const response = await server.open('GET', `${path}?watch=1`);
      response.on('data', (chunk) => {
        for (const byte of chunk) if (byte === 10) events++;
      });
      return response;
    }),
  );
  const [cpu, started, before] = [cpuOf(server.process.pid), performance.now(), events];
  const round = serial++;
  const wanted = before + writes * WATCHERS;
  await many(writes, (i) =>
    server.ask(
      'POST',
      path,
      JSON.stringify({ metadata: { name: `w-${round}-${i}` }, data: { k: 'v'.repeat(100) } }),
    ),
  );
  for (let i = 0; events < wanted && i < 1000; i++) await sleep(5);
  const seconds = (performance.now() - started) / 1000;
  const used = Math.max(0.01, cpuOf(server.process.pid) - cpu);
  for (const watch of watches) watch.destroy();
  return { rate: (events - before) / seconds, perCpu: (events - before) / used };
}

async function seed(server) {
  await many(PODS, (i) => server.ask('POST', PODS_PATH, pod(`seed-${i}`)));
  await server.ask('POST', MAPS_PATH, JSON.stringify({ metadata: { name: 'seed' } }));
}

async function main() {
  writeFileSync(join(folder, 'tokens.csv'), `${TOKEN},bench,bench,"system:masters"\n`);
  const etcd = process.env.ORRERY_ETCD_BIN ?? 'etcd';
  const peer = 'http://127.218.30.1:2380';
  start(etcd, [
    `--data-dir=${join(folder, 'etcd')}`,
    '--listen-client-urls=http://127.218.30.1:2379',
    '--advertise-client-urls=http://127.218.30.1:2379',
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--log-level=error',
    '--unsafe-no-fsync',
  ]);
  await sleep(500);
  const servers = startServers();
  for (const server of servers) await server.ready();
  const rows = [];
  const add = (name, unit, value) => {
    const known = rows.find((row) => row.name === name && row.unit === unit);
    if (known) known.samples.push(value);
    else rows.push({ name, unit, samples: [value] });
  };
  await sleep(1000);
  for (const server of servers)
    add(`${server.name}: idle memory`, 'MB', residentOf(server.process.pid));
  for (const server of servers) await seed(server);
  const wanted = process.env.BENCH_TASK;
  const tasks = Object.entries(TASKS).filter(([name]) => !wanted || name.includes(wanted));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, task] of tasks) {
      for (const server of servers) {
        const { rate, perCpu } = await measure(server, task);
        add(`${server.name}: ${name}`, '/s', rate);
        add(`${server.name}: ${name}`, '/cpu s', perCpu);
      }
    }
    if (!wanted || wanted === 'watch') {
      for (const server of servers) {
        const { rate, perCpu } = await fanOut(server, 100);
        add(`${server.name}: watch fan-out, ${WATCHERS} watchers`, 'events/s', rate);
        add(`${server.name}: watch fan-out, ${WATCHERS} watchers`, '/cpu s', perCpu);
      }
    }
  }
  for (const server of servers)
    add(`${server.name}: memory, ${PODS} pods`, 'MB', residentOf(server.process.pid));
  printTable(`API server, ${PODS} pods seeded, ${CONNECTIONS} connections`, rows);
}

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
