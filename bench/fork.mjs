// Forks: how long the server takes to make one, of an empty and of a full cluster, and what one costs in memory, just
// made and once it has been read and written through, while the parent stands still. BENCH_PODS (10,000), BENCH_FORKS (100).
import https from 'node:https';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from './table.mjs';
import { ETCD_PROGRAM, etcdFlags } from './etcd.mjs';

const PODS = Number(process.env.BENCH_PODS ?? 10_000);
const FORKS = Number(process.env.BENCH_FORKS ?? 100);
const TIMED = 30;
const CONNECTIONS = 32;
const HOST = '127.223.30.2';
const ETCD = '127.223.30.1';
const INSPECTOR = `${HOST}:9229`;

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.ORRERY_DIST ?? join(home, 'dist');
const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'));
const children = [];

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  children.push(child);
  return child;
}

const agent = new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS });

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    headers.authorization = 'Bearer bench';
    const options = { host: HOST, port: 6443, method, path, headers, agent };
    const request = https.request({ ...options, rejectUnauthorized: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function must(method, path, body) {
  const answer = await ask(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer;
}

async function many(count, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

/** Bytes that the server holds, garbage collected before. */
class Inspector {
  static async open() {
    const targets = await (await fetch(`http://${INSPECTOR}/json/list`)).json();
    const inspector = new Inspector(new WebSocket(targets[0].webSocketDebuggerUrl));
    await new Promise((resolve) => inspector.socket.addEventListener('open', resolve));
    return inspector;
  }

  constructor(socket) {
    this.socket = socket;
    this.serial = 0;
    this.waiting = new Map();
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(data);
      this.waiting.get(id)?.(result);
    });
  }

  call(method, params = {}) {
    const id = ++this.serial;
    this.socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  async held() {
    for (let i = 0; i < 3; i++) {
      await this.call('HeapProfiler.collectGarbage');
      await sleep(200);
    }
    const expression = 'JSON.stringify(process.memoryUsage())';
    const { result } = await this.call('Runtime.evaluate', { expression });
    const { heapUsed, external } = JSON.parse(result.value);
    return heapUsed + external;
  }
}

const PATH = '/api/v1/namespaces/default/pods';
const pod = (name) =>
  JSON.stringify({
    metadata: { name, labels: { app: 'bench', 'pod-template-hash': '5d4f8c7b9' } },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'nginx:1.25',
          ports: [{ containerPort: 80 }],
          resources: { requests: { cpu: '100m', memory: '64Mi' } },
        },
      ],
    },
  });

/** Milliseconds that each of some forks took, as the client sees it; they are removed again. */
async function creations(name) {
  const samples = [];
  for (let i = 0; i < TIMED; i++) {
    const started = performance.now();
    await must('POST', '/forks', JSON.stringify({ name: `${name}-${i}` }));
    samples.push(performance.now() - started);
  }
  for (let i = 0; i < TIMED; i++) await must('DELETE', `/forks/${name}-${i}`);
  return { name: `create a fork of ${name} objects`, unit: 'ms', samples };
}

async function main() {
  writeFileSync(join(folder, 'tokens.csv'), 'bench,bench,bench,"system:masters"\n');
  start(ETCD_PROGRAM, etcdFlags(ETCD, join(folder, 'etcd')));
  await sleep(500);
  start(process.execPath, [
    `--inspect=${INSPECTOR}`,
    join(dist, 'kube-apiserver.js'),
    `--etcd-servers=http://${ETCD}:2379`,
    `--bind-address=${HOST}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--disable-admission-plugins=ServiceAccount',
  ]);
  for (let i = 0; i < 600; i++) {
    const { status } = await ask('GET', '/readyz').catch(() => ({ status: 0 }));
    if (status === 200) break;
    await sleep(50);
  }
  const rows = [await creations('0')];
  await many(PODS, (i) => must('POST', PATH, pod(`seed-${i}`)));
  await must('GET', PATH);
  rows.push(await creations(String(PODS)));
  const past = JSON.parse((await must('GET', `${PATH}?limit=1`)).text).metadata.resourceVersion;
  // Something is written, so that no fork of now stands on the same revision.
  await must('POST', '/api/v1/namespaces/default/configmaps', '{"metadata":{"name":"later"}}');
  const inspector = await Inspector.open();
  const each = (bytes) => bytes / FORKS / 1024;
  const memory = (name, bytes) => rows.push({ name, unit: 'KiB each', samples: [each(bytes)] });
  // What the first fork brings is not that of the hundred.
  await must('POST', '/forks', JSON.stringify({ name: 'warm' }));
  await must('GET', `/forks/warm${PATH}`);
  const empty = await inspector.held();
  for (let i = 0; i < FORKS; i++) await must('POST', '/forks', JSON.stringify({ name: `m-${i}` }));
  memory(`${FORKS} forks of ${PODS} pods, made`, (await inspector.held()) - empty);
  const lists = [];
  for (let i = 0; i < FORKS; i++) {
    const started = performance.now();
    const { text } = await must('GET', `/forks/m-${i}${PATH}?limit=500`);
    lists.push(performance.now() - started);
    if (JSON.parse(text).items.length !== Math.min(PODS, 500)) throw new Error('pods are missing');
  }
  rows.push({ name: 'first list of 500 in a fork', unit: 'ms', samples: lists });
  memory('… and open: listed once', (await inspector.held()) - empty);
  for (let i = 0; i < FORKS; i++)
    await must(
      'POST',
      `/forks/m-${i}/api/v1/namespaces/default/configmaps`,
      '{"metadata":{"name":"x"}}',
    );
  memory('… and written once', (await inspector.held()) - empty);
  for (let i = 0; i < FORKS; i++) await must('POST', `/forks/m-${i}${PATH}`, pod('x'));
  memory(`… and written among its ${PODS} pods`, (await inspector.held()) - empty);
  const old = [];
  for (let i = 0; i < TIMED; i++) {
    const started = performance.now();
    await must('POST', '/forks', JSON.stringify({ name: `old-${i}`, at: past }));
    old.push(performance.now() - started);
  }
  rows.push({ name: `create a fork of an older revision`, unit: 'ms', samples: old });
  const started = performance.now();
  await must('GET', `/forks/old-0${PATH}?limit=500`);
  rows.push({
    name: '… first list of 500, loaded then',
    unit: 'ms',
    samples: [performance.now() - started],
  });
  printTable(`Forks of a cluster with ${PODS} pods`, rows);
}

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
