// What cause records cost: writes a second of two API servers on one etcd, in turn, one with --cause-records=false; the
// figure is the share that is lost, round by round. Then what a look far back costs, in a history of BENCH_WRITES (40,000)
// writes: the cause of one of the first writes, and the whole history of an object that was deleted then.
// BENCH_ROUNDS (51), BENCH_COUNT writes per round (160: short rounds, since the machine's other work changes), BENCH_FSYNC=1 lets etcd wait for the disk.
import https from 'node:https';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from './table.mjs';
import { ETCD_PROGRAM, etcdFlags } from './etcd.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 51);
const COUNT = Number(process.env.BENCH_COUNT ?? 160);
const WRITES = Number(process.env.BENCH_WRITES ?? 40_000);
const LOOKS = 20;
const CONNECTIONS = 32;
const ETCD = '127.224.31.1';
const HOSTS = { on: '127.224.31.2', off: '127.224.31.3' };
const MAPS = '/api/v1/namespaces/default/configmaps';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.ORRERY_DIST ?? join(home, 'dist');
const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'));
const children = [];
const agent = new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const rows = [];

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child;
}

function add(name, unit, value) {
  const known = rows.find((row) => row.name === name);
  if (known) known.samples.push(value);
  else rows.push({ name, unit, samples: [value] });
}

/** Seconds of CPU that a process has used. */
function cpuOf({ pid }) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function ask(host, method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: 'Bearer bench',
      'content-type': 'application/json',
      'user-agent': 'kube-controller-manager/v1.36.4 (linux/amd64) kubernetes/0000000',
      'orrery-cause': 'revision=7; controller=replicaset-controller',
    };
    const options = { host, port: 6443, method, path, headers, agent, rejectUnauthorized: false };
    const request = https.request(options, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      if (response.statusCode < 300) resolve(text);
      else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
    });
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}

async function many(count, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

const map = (name, value) => ({ metadata: { name }, data: { value: value.padEnd(400, '.') } });

/** Creates, then changes: what controllers do. */
async function writeRound(host, round) {
  await many(COUNT / 2, (i) => ask(host, 'POST', MAPS, map(`m-${round}-${i}`, 'a')));
  await many(COUNT / 2, (i) =>
    ask(host, 'PUT', `${MAPS}/m-${round}-${i}`, map(`m-${round}-${i}`, 'b')),
  );
}

async function compareRates(servers, etcd) {
  for (let round = -1; round < ROUNDS; round++) {
    const rates = {};
    // In turn, and the first one changes, so that neither always comes behind the other.
    const order = round % 2 === 0 ? ['on', 'off'] : ['off', 'on'];
    for (const name of order) {
      const [cpu, etcdCpu] = [cpuOf(servers[name]), cpuOf(etcd)];
      const started = performance.now();
      await writeRound(HOSTS[name], round);
      rates[name] = (COUNT * 1000) / (performance.now() - started);
      if (round < 0) continue;
      add(`records ${name}`, 'writes/s', rates[name]);
      add(
        `records ${name}: CPU of the API server`,
        'ms/write',
        ((cpuOf(servers[name]) - cpu) * 1000) / COUNT,
      );
      add(`records ${name}: CPU of etcd`, 'ms/write', ((cpuOf(etcd) - etcdCpu) * 1000) / COUNT);
    }
    if (round >= 0) add('lost by cause records', '%', 100 * (1 - rates.on / rates.off));
  }
}

async function time(name, work) {
  for (let i = 0; i < LOOKS; i++) {
    const started = performance.now();
    await work();
    add(name, 'ms', performance.now() - started);
  }
}

async function lookBack() {
  const host = HOSTS.on;
  await ask(host, 'POST', MAPS, map('first', 'a'));
  await ask(host, 'POST', MAPS, map('gone', 'a'));
  await ask(host, 'DELETE', `${MAPS}/gone`);
  await many(WRITES / 2, (i) => ask(host, 'POST', MAPS, map(`far-${i}`, 'a')));
  await many(WRITES / 2, (i) => ask(host, 'PUT', `${MAPS}/far-${i}`, map(`far-${i}`, 'b')));
  const back = `${WRITES} writes back`;
  await time(`explain a state ${back}`, () => ask(host, 'GET', `/history/explain${MAPS}/first`));
  await time(`history of an object ${back}`, () =>
    ask(host, 'GET', `/history/revisions${MAPS}/first`),
  );
  await time(`history of one deleted ${back}`, () =>
    ask(host, 'GET', `/history/revisions${MAPS}/gone`),
  );
}

async function main() {
  writeFileSync(join(folder, 'tokens.csv'), 'bench,bench,bench,"system:masters"\n');
  const etcd = start(
    ETCD_PROGRAM,
    etcdFlags(ETCD, join(folder, 'etcd'), { fsync: Boolean(process.env.BENCH_FSYNC) }),
  );
  await sleep(500);
  const servers = {};
  for (const [name, host] of Object.entries(HOSTS)) {
    servers[name] = start(process.execPath, [
      join(dist, 'kube-apiserver.js'),
      `--etcd-servers=http://${ETCD}:2379`,
      `--etcd-prefix=/${name}`,
      `--bind-address=${host}`,
      '--secure-port=6443',
      `--token-auth-file=${join(folder, 'tokens.csv')}`,
      `--cause-records=${name === 'on'}`,
    ]);
    for (let i = 0; i < 200; i++)
      if (
        await ask(host, 'GET', '/readyz').then(
          () => true,
          () => sleep(100),
        )
      )
        break;
  }
  await compareRates(servers, etcd);
  servers.off.kill('SIGTERM');
  await lookBack();
  printTable(`Cause records: ${COUNT} writes a round, ${CONNECTIONS} connections`, rows);
}

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
