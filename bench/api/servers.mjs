// What the API server's benchmark measures: each side is an API server on an etcd of its own.
import { generateKeyPairSync } from 'node:crypto';
import https from 'node:https';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { ETCD_PROGRAM, etcdFlags } from '../etcd.mjs';

export const TOKEN = 'bench';
const NET = process.env.BENCH_NET ?? '127.218';
const TICKS_PER_SECOND = 100;
const here = dirname(fileURLToPath(import.meta.url));
const dist = process.env.ORRERY_DIST ?? join(dirname(dirname(here)), 'dist');
const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'));
const children = new Set();
/** As `orrery up` starts it and with its compile cache (apps/cli/src/cluster/plan.ts). */
const NODE_FLAGS = ['--max-semi-space-size=16'];

export const scratch = (name) => join(folder, name);

function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Ends what was started and removes its files. */
export function cleanUp() {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** An API server that can be started again and again on the same etcd. */
export class Side {
  /** `count` = processes behind its one port. */
  constructor(name, number, command, args, count = 1) {
    Object.assign(this, { name, command, args, count });
    this.processes = [];
    this.host = `${NET}.30.${10 + number}`;
    this.etcd = `${NET}.30.${40 + number}`;
    this.agent = new https.Agent({ keepAlive: true, maxSockets: 64 });
  }

  async startEtcd() {
    start(ETCD_PROGRAM, etcdFlags(this.etcd, scratch(`etcd-${this.name}`)));
    await sleep(700);
  }

  /** What every start is given beside `args`. */
  get flags() {
    const { host } = this;
    return [
      `--etcd-servers=http://${this.etcd}:2379`,
      `--bind-address=${host}`,
      `--advertise-address=${host}`,
      '--secure-port=6443',
      `--token-auth-file=${scratch('tokens.csv')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${scratch('sa.key')}`,
      `--service-account-key-file=${scratch('sa.key')}`,
      '--authorization-mode=Node,RBAC',
      '--disable-admission-plugins=ServiceAccount',
    ];
  }

  /** Answers the seconds until /readyz says ok. `node` = options of Node, for those that run on it. */
  async start(node = []) {
    const { flags } = this;
    const began = performance.now();
    this.heard = '';
    this.processes = Array.from({ length: this.count }, () => {
      const child = start(this.command, [...node, ...this.args, ...flags], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, NODE_COMPILE_CACHE: join(dist, '.compile-cache') },
      });
      child.stderr.on('data', (text) => (this.heard = `${this.heard}${text}`.slice(-20_000)));
      return child;
    });
    while (performance.now() - began < 60_000) {
      const answer = await this.ask('GET', '/readyz').catch(() => undefined);
      if (answer?.status === 200 && this.#listening() >= this.count)
        return (performance.now() - began) / 1000;
      await sleep(5);
    }
    throw new Error(`${this.name} does not become ready: ${this.heard}`);
  }

  /** How many sockets listen at its address. */
  #listening() {
    const address = this.host.split('.').reverse();
    const hex = address.map((part) => Number(part).toString(16).padStart(2, '0')).join('');
    const local = ` ${hex.toUpperCase()}:192B 00000000:0000 0A `;
    return readFileSync('/proc/net/tcp', 'utf8').split(local).length - 1;
  }

  async stop() {
    this.agent.destroy();
    this.agent = new https.Agent({ keepAlive: true, maxSockets: 64 });
    await Promise.all(
      this.processes.map(async (child) => {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await Promise.race([ended, sleep(3000, undefined, { ref: false })]);
        child.kill('SIGKILL');
        await ended;
      }),
    );
  }

  get url() {
    return `https://${this.host}:6443`;
  }

  /** Seconds of CPU that the server has used: what other work on the machine does not change much. */
  get cpu() {
    const used = this.processes.map(({ pid }) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    });
    return used.reduce((sum, seconds) => sum + seconds, 0);
  }

  /** Megabytes. */
  get resident() {
    const held = this.processes.map(({ pid }) => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
    });
    return held.reduce((sum, megabytes) => sum + megabytes, 0);
  }

  open(method, path, body) {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}`, accept: 'application/json' };
      if (body) headers['content-type'] = 'application/json';
      const { host, agent } = this;
      const options = { host, port: 6443, method, path, headers, agent, rejectUnauthorized: false };
      const request = https.request(options, resolve);
      request.on('error', reject);
      request.end(body);
    });
  }

  async ask(method, path, body) {
    const response = await this.open(method, path, body);
    let bytes = 0;
    for await (const chunk of response) bytes += chunk.length;
    return { status: response.statusCode, bytes };
  }

  /** How long the event loop was held up since the last question, for a server with ../loop-delay.mjs. */
  async held() {
    this.heard = '';
    this.processes[0].kill('SIGUSR2');
    for (let i = 0; i < 200; i++) {
      const line = /loop-delay (.*)\n/.exec(this.heard);
      if (line) return JSON.parse(line[1]).maxMs;
      await sleep(10);
    }
    throw new Error(`${this.name} does not tell of its event loop`);
  }
}

const upstreamProgram = () => {
  const path = join(process.env.KUBE_BIN_DIR ?? '', 'kube-apiserver');
  return process.env.KUBE_BIN_DIR && existsSync(path) ? path : undefined;
};

function upstreamSide(number, program) {
  mkdirSync(scratch('certificates'));
  return new Side('upstream', number, program, [
    '--service-cluster-ip-range=10.96.0.0/16',
    `--cert-dir=${scratch('certificates')}`,
  ]);
}

function upstreamApiServer(number) {
  const program = upstreamProgram();
  if (!program) return undefined;
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return { side: upstreamSide(number, program), version: stdout.trim() };
}

/** Ours first, then what it is compared with; and the version of upstream's, which `upstreamOf` makes from its number. */
export function sidesToMeasure(upstreamOf = upstreamApiServer) {
  writeFileSync(scratch('tokens.csv'), `${TOKEN},bench,bench,"system:masters"\n`);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(scratch('sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const sides = [];
  const ours = (name, from, more = [], count = 1) => {
    const args = [...NODE_FLAGS, join(from, 'kube-apiserver.js'), ...more];
    sides.push(new Side(name, sides.length, process.execPath, args, count));
  };
  ours('orrery', dist);
  if (process.env.ORRERY_DIST_BEFORE) ours('before', process.env.ORRERY_DIST_BEFORE);
  if (process.env.BENCH_QUORUM) ours('quorum', dist, ['--reads=quorum']);
  const shared = Number(process.env.BENCH_SHARED ?? 1);
  if (shared > 1) ours('shared', dist, ['--permit-port-sharing'], shared);
  if (process.env.BENCH_HTTP1 !== '0') ours('http1', dist, ['--disable-http2-serving']);
  const upstream = upstreamOf(sides.length);
  if (!upstream) {
    process.stdout.write('KUBE_BIN_DIR names no kube-apiserver: upstream is not measured\n');
    return { sides, version: 'none' };
  }
  sides.push(upstream.side);
  return { sides, version: upstream.version };
}
