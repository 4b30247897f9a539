// LIST of pods at a past revision against a live quorum LIST that is read from etcd, by one server, in turn; and what the
// first request to a moment costs. BENCH_PODS (10,000), BENCH_ROUNDS (7).
import https from 'node:https';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from './table.mjs';
import { ETCD_PROGRAM, etcdFlags } from './etcd.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const PODS = Number(process.env.BENCH_PODS ?? 10_000);
const CHANGED = Math.floor(PODS / 2);
const CONNECTIONS = 32;
const HOST = '127.222.30.2';
const ETCD = '127.222.30.1';
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

function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
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
      response.on('end', () => resolve({ status: response.statusCode, chunks }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const textOf = ({ chunks }) => Buffer.concat(chunks).toString();

async function many(count, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const { status } = await work(next++);
      if (status >= 300) throw new Error(`a request of the bench was answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
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

const revisionNow = async () =>
  JSON.parse(textOf(await ask('GET', `${PATH}?limit=1`))).metadata.resourceVersion;

/** Milliseconds, and seconds of the server's CPU, of one whole LIST. */
async function list(path, server) {
  const [cpu, started] = [cpuOf(server.pid), performance.now()];
  const answer = await ask('GET', path);
  const ms = performance.now() - started;
  const used = (cpuOf(server.pid) - cpu) * 1000;
  const { items } = JSON.parse(textOf(answer));
  if (items.length !== PODS) throw new Error(`${path}: ${items.length} pods instead of ${PODS}`);
  return { ms, used };
}

async function main() {
  writeFileSync(join(folder, 'tokens.csv'), 'bench,bench,bench,"system:masters"\n');
  start(ETCD_PROGRAM, etcdFlags(ETCD, join(folder, 'etcd')));
  await sleep(500);
  const server = start(process.execPath, [
    join(dist, 'kube-apiserver.js'),
    `--etcd-servers=http://${ETCD}:2379`,
    `--bind-address=${HOST}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--disable-admission-plugins=ServiceAccount',
    '--reads=quorum',
  ]);
  for (let i = 0; i < 600; i++) {
    const { status } = await ask('GET', '/readyz').catch(() => ({ status: 0 }));
    if (status === 200) break;
    await sleep(50);
  }
  await many(PODS, (i) => ask('POST', PATH, pod(`seed-${i}`)));
  const then = await revisionNow();
  const change = JSON.stringify({ metadata: { labels: { changed: 'since' } } });
  await many(CHANGED, (i) => patch(`${PATH}/seed-${i * 2}`, change));
  const rows = [];
  const add = (name, unit, value) => {
    const known = rows.find((row) => row.name === name && row.unit === unit);
    if (known) known.samples.push(value);
    else rows.push({ name, unit, samples: [value] });
  };
  await list('/api/v1/pods', server);
  for (let round = 0; round < ROUNDS; round++) {
    const live = await list('/api/v1/pods', server);
    const past = await list(`/at/${then}/api/v1/pods`, server);
    add(`live LIST, quorum, from etcd`, 'ms', live.ms);
    add(`LIST at revision ${then}`, 'ms', past.ms);
    add('ratio past / live', 'x', past.ms / live.ms);
    add('live LIST: server CPU', 'ms', live.used);
    add('LIST of the past: server CPU', 'ms', past.used);
  }
  for (let i = 0; i < 20; i++) {
    const started = performance.now();
    await ask('GET', `/at/${Number(then) - 100 - i}/version`);
    add('first request to a moment', 'ms', performance.now() - started);
  }
  printTable(`The past, ${PODS} pods, ${CHANGED} of them changed since`, rows);
}

function patch(path, body) {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: 'Bearer bench',
      'content-type': 'application/merge-patch+json',
    };
    const options = { host: HOST, port: 6443, method: 'PATCH', path, headers, agent };
    const request = https.request({ ...options, rejectUnauthorized: false }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
