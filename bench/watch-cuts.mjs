// A watch that never loses an event: clients watch an API server whose connections to etcd are cut 100 times, while another
// API server writes. Counts events lost, repeated or out of order, and watches ended. CUTS=… for another number than 100.
import https from 'node:https';
import { connect, createServer } from 'node:net';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from './table.mjs';
import { ETCD_PROGRAM, etcdFlags } from './etcd.mjs';

const CUTS = Number(process.env.CUTS ?? 100);
const WATCHERS = 4;
const WRITERS = 4;
const BLOCK = '127.221.40';
const PATH = '/api/v1/namespaces/default/configmaps';
const home = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.ORRERY_DIST ?? join(home, 'dist');
const folder = mkdtempSync(join(tmpdir(), 'orrery-cuts-'));
const children = [];

function start(command, args) {
  const child = spawn(command, args, { stdio: 'ignore' });
  children.push(child);
}

/** Between the API server and etcd: relays, and breaks everything on demand. */
class Relay {
  pairs = new Set();
  cuts = 0;
  broken = 0;

  constructor(host, to) {
    this.server = createServer((client) => {
      const upstream = connect(2379, to);
      const pair = [client, upstream];
      this.pairs.add(pair);
      client.pipe(upstream);
      upstream.pipe(client);
      for (const socket of pair) {
        socket.setNoDelay(true);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          for (const each of pair) each.destroy();
          this.pairs.delete(pair);
        });
      }
    });
    this.server.listen(2379, host);
  }

  cut() {
    this.cuts++;
    this.broken += this.pairs.size;
    for (const pair of this.pairs) for (const socket of pair) socket.resetAndDestroy();
  }
}

const agent = new https.Agent({ keepAlive: true, maxSockets: 64 });

function open(host, method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer bench' };
    if (body) headers['content-type'] = 'application/json';
    const options = { host, port: 6443, method, path, headers, agent, rejectUnauthorized: false };
    const request = https.request(options, resolve);
    request.on('error', reject);
    request.end(body);
  });
}

async function ask(host, method, path, body) {
  const response = await open(host, method, path, body);
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, text };
}

async function ready(host) {
  for (let i = 0; i < 600; i++) {
    const answer = await ask(host, 'GET', '/readyz').catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(50);
  }
  throw new Error(`${host} does not become ready`);
}

function startApi(host, etcd) {
  start(process.execPath, [
    join(dist, 'kube-apiserver.js'),
    `--etcd-servers=http://${etcd}:2379`,
    '--etcd-prefix=/cuts',
    `--bind-address=${host}`,
    `--advertise-address=${host}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--disable-admission-plugins=ServiceAccount',
  ]);
}

/** One watch: the revisions it is sent, in their order, and whether it was ended. */
async function openWatch(host, from) {
  const watch = { revisions: [], ended: false };
  const response = await open(host, 'GET', `${PATH}?watch=1&resourceVersion=${from}`);
  const lines = createInterface({ input: response });
  lines.on('line', (line) => {
    const { type, object } = JSON.parse(line);
    if (type === 'ERROR') watch.ended = true;
    else watch.revisions.push(Number(object.metadata.resourceVersion));
  });
  response.on('end', () => (watch.ended = true));
  return watch;
}

function judge(watch, wanted) {
  const seen = new Set(watch.revisions);
  return {
    lost: wanted.filter((revision) => !seen.has(revision)).length,
    repeated: watch.revisions.length - seen.size,
    disordered: watch.revisions.filter((r, i) => i > 0 && r <= watch.revisions[i - 1]).length,
  };
}

async function main() {
  const [etcd, relayHost, watched, writer] = [1, 2, 3, 4].map((n) => `${BLOCK}.${n}`);
  writeFileSync(join(folder, 'tokens.csv'), 'bench,bench,bench,"system:masters"\n');
  start(ETCD_PROGRAM, etcdFlags(etcd, join(folder, 'etcd')));
  await sleep(500);
  const relay = new Relay(relayHost, etcd);
  startApi(watched, relayHost);
  startApi(writer, etcd);
  await Promise.all([watched, writer].map(ready));
  const list = JSON.parse((await ask(writer, 'GET', PATH)).text);
  const from = list.metadata.resourceVersion;
  const watches = await Promise.all(
    Array.from({ length: WATCHERS }, () => openWatch(watched, from)),
  );
  const wanted = [];
  let writing = true;
  const write = async (name) => {
    for (let i = 0; writing; i++) {
      const body = JSON.stringify({
        metadata: { name: `${name}-${i}` },
        data: { k: 'v'.repeat(500) },
      });
      const { status, text } = await ask(writer, 'POST', PATH, body);
      if (status !== 201) throw new Error(`write: ${status} ${text}`);
      wanted.push(Number(JSON.parse(text).metadata.resourceVersion));
    }
  };
  const began = performance.now();
  const writers = Promise.all(Array.from({ length: WRITERS }, (_, i) => write(`w${i}`)));
  const gaps = [];
  for (let i = 0; i < CUTS; i++) {
    const before = watches.map(({ revisions }) => revisions.length);
    const at = performance.now();
    // The next cut comes when every watch has gone on: a watch that hangs shows as a run that does not end.
    while (!watches.every(({ revisions }, w) => revisions.length > before[w])) await sleep(2);
    gaps.push(performance.now() - at);
    await sleep(Math.random() * 40);
    relay.cut();
  }
  writing = false;
  await writers;
  const seconds = (performance.now() - began) / 1000;
  for (let i = 0; i < 500 && watches.some((w) => w.revisions.length < wanted.length); i++)
    await sleep(20);
  const verdicts = watches.map((watch) => judge(watch, wanted));
  const sum = (key) => verdicts.reduce((total, each) => total + each[key], 0);
  const figure = (name, unit, value) => ({ name, unit, samples: [value] });
  printTable(
    `${CUTS} cuts of an API server's connections to etcd, ${WATCHERS} watches, ${WRITERS} writers`,
    [
      figure('connections broken', '', relay.broken),
      figure('writes acknowledged', '', wanted.length),
      figure('writes', '/s', wanted.length / seconds),
      figure(
        'events delivered',
        '',
        watches.reduce((n, w) => n + w.revisions.length, 0),
      ),
      figure('events lost', '', sum('lost')),
      figure('events repeated', '', sum('repeated')),
      figure('events out of order', '', sum('disordered')),
      figure('watches ended', '', watches.filter(({ ended }) => ended).length),
      { name: 'from a cut to the next event of every watch', unit: 'ms', samples: gaps },
    ],
  );
  if (sum('lost') + sum('repeated') + sum('disordered') > 0) process.exitCode = 1;
}

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
