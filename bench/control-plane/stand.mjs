// What the control-plane benchmarks stand on: etcd, our API server, bare Node objects and either side's controllers and scheduler.
import https from 'node:https';
import { spawn } from 'node:child_process';
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_ENV, NODE_FLAGS, SIDES, dist, nodeFlagsOf, upstreamFolder } from './sides.mjs';

const TOKEN = 'bench';
const NET = process.env.BENCH_NET ?? '127.238';
const ETCD = `${NET}.30.1`;
const API = `${NET}.30.2`;

export const residentOf = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Seconds of CPU that a process has used. */
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** One etcd and one API server, thrown away by `close`. */
export class Stand {
  folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'));
  processes = new Map();
  agent = new https.Agent({ keepAlive: true, maxSockets: 80 });
  #streams = [];

  get kubeconfig() {
    return join(this.folder, 'kubeconfig');
  }

  constructor(side = 'orrery') {
    this.side = SIDES[side];
    if (!this.side) throw new Error(`a side is one of ${Object.keys(SIDES).join(', ')}`);
  }

  async open() {
    const { folder } = this;
    writeFileSync(join(folder, 'tokens.csv'), `${TOKEN},bench,bench,"system:masters"\n`);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(
      this.kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [
          {
            name: 'c',
            cluster: { server: `https://${API}:6443`, 'insecure-skip-tls-verify': true },
          },
        ],
        users: [{ name: 'u', user: { token: TOKEN } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    );
    this.start('etcd', process.env.ORRERY_ETCD_BIN ?? 'etcd', [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=http://${ETCD}:2379`,
      `--advertise-client-urls=http://${ETCD}:2379`,
      `--listen-peer-urls=http://${ETCD}:2380`,
      `--initial-advertise-peer-urls=http://${ETCD}:2380`,
      `--initial-cluster=default=http://${ETCD}:2380`,
      '--log-level=error',
    ]);
    await sleep(300);
    this.#startServer();
    for (let i = 0; i < 400; i++) {
      const code = await this.ask('GET', '/readyz').then(
        () => 200,
        () => 0,
      );
      if (code === 200) return;
      await sleep(25);
    }
    throw new Error('the API server does not become ready');
  }

  #startServer() {
    const { folder, side } = this;
    const flags = [
      `--etcd-servers=http://${ETCD}:2379`,
      `--bind-address=${API}`,
      `--advertise-address=${API}`,
      `--token-auth-file=${join(folder, 'tokens.csv')}`,
      '--authorization-mode=Node,RBAC',
      '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    ];
    if (side.server === 'orrery') {
      if (side.controlPlane !== 'orrery') flags.push('--serve-removed-apis');
      if (side.together === 'all')
        this.#startTogether('apiserver', [
          { name: 'kube-apiserver', app: 'kube-apiserver', args: flags },
          ...this.#ownControlPlane({}),
        ]);
      else this.startNode('apiserver', 'kube-apiserver', flags);
      return;
    }
    const key = join(folder, 'sa.key');
    this.start('apiserver', join(process.env.KUBE_BIN_DIR, 'kube-apiserver'), [
      ...flags,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${key}`,
      `--service-account-key-file=${key}`,
      `--cert-dir=${folder}`,
    ]);
  }

  start(name, command, args, env = {}) {
    const log = process.env.BENCH_LOG ? 'inherit' : 'ignore';
    const child = spawn(command, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
    });
    child.once('exit', (code, signal) => {
      if (this.processes.get(name) === child && signal === null)
        process.stderr.write(`${name} ended with ${code}\n`);
    });
    this.processes.set(name, child);
    return child;
  }

  startNode(name, bundle, args) {
    const from = this.side.dist ?? dist;
    const flags = [...NODE_FLAGS, ...nodeFlagsOf(name, this.side)];
    // A build of before is started as it was before.
    const env = this.side.dist ? {} : NODE_ENV;
    return this.start(name, process.execPath, [...flags, join(from, `${bundle}.js`), ...args], env);
  }

  get #keyFlag() {
    return `--service-account-private-key-file=${join(this.folder, 'sa.key')}`;
  }

  /** Our controllers and scheduler, as `orrery run` takes them. */
  #ownControlPlane({ schedulerConfig, controllers = true }) {
    const shared = [`--kubeconfig=${this.kubeconfig}`, '--leader-elect=false'];
    const manager = [...shared, '--controllers=*,-node-lifecycle-controller', this.#keyFlag];
    const scheduler = [...shared, ...(schedulerConfig ? [`--config=${schedulerConfig}`] : [])];
    return [
      ...(controllers
        ? [{ name: 'controller-manager', app: 'kube-controller-manager', args: manager }]
        : []),
      { name: 'scheduler', app: 'kube-scheduler', args: scheduler },
    ];
  }

  /** Several of our components in one process. */
  #startTogether(name, instances) {
    const file = join(this.folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(instances));
    return this.startNode(name, 'orrery', ['run', file]);
  }

  /** Controllers and scheduler of one side. Bare nodes have no kubelet, so nobody may judge their health. */
  startControlPlane({ schedulerConfig, controllers = true } = {}) {
    const { kubeconfig, folder } = this;
    const shared = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false'];
    if (this.side.controlPlane === 'orrery') {
      const own = this.#ownControlPlane({ schedulerConfig, controllers });
      if (this.side.together === 'all') return;
      if (this.side.together && own.length > 1) this.#startTogether('controllers', own);
      else for (const { name, app, args } of own) this.startNode(name, app, args);
      return;
    }
    const lifted = ['--kube-api-qps=10000', '--kube-api-burst=10000'];
    const upstream = upstreamFolder();
    if (controllers)
      this.start('controller-manager', join(upstream, 'kube-controller-manager'), [
        ...shared,
        '--controllers=*,-nodelifecycle,-nodeipam',
        this.#keyFlag,
        ...lifted,
        '--port=0',
        `--bind-address=${NET}.30.3`,
        `--cert-dir=${folder}`,
      ]);
    this.start('scheduler', join(upstream, 'kube-scheduler'), [
      ...shared,
      ...lifted,
      '--port=0',
      `--bind-address=${NET}.30.4`,
      `--cert-dir=${folder}`,
    ]);
  }

  stream(path, onData) {
    return new Promise((resolve, reject) => {
      const request = https.request(
        {
          host: API,
          port: 6443,
          path,
          headers: { authorization: `Bearer ${TOKEN}`, accept: 'application/json' },
          rejectUnauthorized: false,
          agent: false,
        },
        (response) => {
          response.on('data', onData);
          response.on('error', () => undefined);
          resolve(response);
        },
      );
      request.on('error', reject);
      request.end();
      this.#streams.push(request);
    });
  }

  /** Counts the objects that come to a collection; `until(n)` resolves with the time at which there were n. */
  async countAdded(path) {
    const needle = Buffer.from('{"type":"ADDED"');
    const waiting = [];
    let count = 0;
    let tail = Buffer.alloc(0);
    await this.stream(path, (chunk) => {
      const data = tail.length > 0 ? Buffer.concat([tail, chunk]) : chunk;
      let from = 0;
      for (let at = data.indexOf(needle); at >= 0; at = data.indexOf(needle, at + 1)) {
        count++;
        from = at + needle.length;
      }
      tail = data.subarray(Math.max(from, data.length - needle.length + 1));
      const now = performance.now();
      while (waiting.length > 0 && count >= waiting[0].n) waiting.shift().resolve(now);
    });
    return {
      get count() {
        return count;
      },
      until: (n, limitMs = Number(process.env.BENCH_LIMIT_MS ?? 120_000)) =>
        new Promise((resolve, reject) => {
          if (count >= n) resolve(performance.now());
          waiting.push({ n, resolve });
          setTimeout(() => {
            reject(new Error(`${path}: ${count} of ${n} within ${limitMs} ms`));
          }, limitMs).unref();
        }),
    };
  }

  ask(method, path, body) {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}`, accept: 'application/json' };
      const text = body && JSON.stringify(body);
      if (text) {
        headers['content-type'] = 'application/json';
        headers['content-length'] = Buffer.byteLength(text);
      }
      const request = https.request(
        {
          host: API,
          port: 6443,
          method,
          path,
          headers,
          rejectUnauthorized: false,
          agent: this.agent,
        },
        (response) => {
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('end', () => {
            const answer = Buffer.concat(chunks).toString();
            if (response.statusCode < 300) resolve(answer);
            else
              reject(
                new Error(`${method} ${path}: ${response.statusCode} ${answer.slice(0, 300)}`),
              );
          });
        },
      );
      request.on('error', reject);
      request.end(text);
    });
  }

  /** Runs `work` on many connections until `count` calls are done. */
  async many(count, work, connections = 32) {
    let next = 0;
    const worker = async () => {
      while (next < count) await work(next++);
    };
    await Promise.all(Array.from({ length: connections }, worker));
  }

  async createNodes(count, toNode = bareNode) {
    await this.many(count, async (i) => {
      await this.ask('POST', '/api/v1/nodes', toNode(i));
    });
  }

  /** Requests that the API server has answered: { 'POST pods/binding': 12 }. */
  async requests() {
    const text = await this.ask('GET', '/metrics');
    const found = {};
    for (const [, labels, value] of text.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
      const of = (name) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
      const what = [of('resource'), of('subresource')].filter(Boolean).join('/');
      const name = `${of('verb')} ${what}`;
      found[name] = (found[name] ?? 0) + Number(value);
    }
    return found;
  }

  /** TCP connections that a process has at this moment. */
  connections(name) {
    const { pid } = this.processes.get(name);
    return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
      } catch {
        return false;
      }
    }).length;
  }

  memory() {
    const each = {};
    for (const [name, { pid }] of this.processes) each[name] = residentOf(pid);
    return each;
  }

  cpu() {
    const each = {};
    for (const [name, { pid }] of this.processes) each[name] = cpuOf(pid);
    return each;
  }

  async stop(name) {
    const child = this.processes.get(name);
    if (!child) return;
    this.processes.delete(name);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null)
      child.kill(nodeFlagsOf(name, this.side).length > 0 ? 'SIGTERM' : 'SIGKILL');
    if (child.exitCode === null) await ended;
  }

  async close() {
    for (const name of [...this.processes.keys()].reverse()) await this.stop(name);
    for (const stream of this.#streams) stream.destroy();
    this.agent.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A Node object without a kubelet: 32 cpus, 256Gi, 110 pods, in one of three zones. */
export function bareNode(i) {
  const name = `node-${String(i).padStart(5, '0')}`;
  const resources = { cpu: '32', memory: '256Gi', 'ephemeral-storage': '500Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': `zone-${i % 3}`,
      },
    },
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          lastHeartbeatTime: new Date().toISOString(),
          lastTransitionTime: new Date().toISOString(),
        },
      ],
      nodeInfo: { operatingSystem: 'linux', architecture: 'amd64' },
    },
  };
}
