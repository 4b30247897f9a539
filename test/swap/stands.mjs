// The clusters that the checks run on: ours with parts of upstream's in their places, and ours on an upstream API server.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kube, eventually } from './kube.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const dist = process.env.ORRERY_DIST ?? join(root, 'dist');
/** C of 127.C.0.0/16. */
const BLOCK = process.env.SWAP_BLOCK ?? '231';
const NET = `127.${BLOCK}`;
const TOKEN = 'swap';
const POD_CIDR = '10.231.0.0/16';
const SERVICE_CIDR = '10.96.0.0/16';
const STOP_MS = 20_000;

export const programIn = (folder, name) => folder && existsSync(join(folder, name));

/** Those that are open. */
const stands = new Set();

/** Ends all that runs. */
export const closeStands = () => Promise.all([...stands].map((stand) => stand.close()));

/** Processes and a folder that end together. */
export class Stand {
  constructor(folder) {
    stands.add(this);
    this.binaries = folder;
    this.home = mkdtempSync(join(tmpdir(), 'orrery-swap-'));
    this.children = new Map();
  }

  get kubeconfig() {
    return join(this.home, 'kubeconfig');
  }

  start(name, command, args, env = {}) {
    const log = openSync(join(this.home, `${name}.log`), 'a');
    const child = spawn(command, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    child.on('error', (error) => process.stderr.write(`swap: ${name}: ${error.message}\n`));
    this.children.set(name, child);
    return child;
  }

  ours(name, args, env) {
    return this.start(
      name,
      process.execPath,
      ['--enable-source-maps', join(dist, `${name}.js`), ...args],
      env,
    );
  }

  upstream(name, args) {
    return this.start(name, join(this.binaries, name), args);
  }

  log(name) {
    const file = join(this.home, `${name}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async stop(name) {
    const child = this.children.get(name);
    this.children.delete(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const late = sleep(STOP_MS, 'late', { ref: false });
    if ((await Promise.race([ended, late])) === 'late') child.kill('SIGKILL');
    await ended;
  }

  async close() {
    stands.delete(this);
    for (const name of [...this.children.keys()].reverse()) await this.stop(name);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Upstream's own limits would make its part of the table ten times as long. */
const UNLIMITED = ['--kube-api-qps=500', '--kube-api-burst=1000'];

const controllerFlags = (stand, dir, kubeconfig) => [
  `--kubeconfig=${kubeconfig}`,
  `--service-account-private-key-file=${join(dir, 'sa.key')}`,
  `--root-ca-file=${join(dir, 'ca.crt')}`,
  `--cluster-signing-cert-file=${join(dir, 'ca.crt')}`,
  `--cluster-signing-key-file=${join(dir, 'ca.key')}`,
  '--leader-elect=true',
  '--allocate-node-cidrs=true',
  '--node-cidr-mask-size=24',
];

/** A cluster of ours, in which upstream's programs take the places of those named. */
export async function clusterOfOurs(folder, swapped) {
  const stand = new Stand(folder);
  const home = join(stand.home, 'home');
  const up = [
    'up',
    `--block=${BLOCK}`,
    '--isolate',
    '--extra-arg=kube-apiserver.serve-removed-apis=true',
  ];
  const orrery = [process.execPath, '--enable-source-maps', join(dist, 'orrery.js')];
  const env = { ORRERY_HOME: home };
  try {
    stand.start('orrery', orrery[0], [...orrery.slice(1), ...up], env);
    await eventually(() => {
      if (!stand.log('orrery').includes('ready in')) throw new Error(stand.log('orrery'));
    }, 90_000);
    const dir = join(home, 'orrery');
    for (const name of swapped) {
      const stop = stand.start(`stop-${name}`, orrery[0], [...orrery.slice(1), 'stop', name], env);
      await new Promise((resolve) => stop.once('exit', resolve));
      stand.upstream(name, upstreamFlags(stand, name, dir));
    }
    return {
      stand,
      kubeconfig: join(dir, 'admin.conf'),
      facts: { hasPolicyV1: true, hasCronJobV1: true, hasProcesses: true },
    };
  } catch (error) {
    await stand.close();
    throw error;
  }
}

function upstreamFlags(stand, name, dir) {
  const certs = join(stand.home, `certs-${name}`);
  mkdirSync(certs, { recursive: true });
  const shared = [`--cert-dir=${certs}`, `--bind-address=${NET}.0.1`, ...UNLIMITED];
  if (name === 'kube-scheduler')
    return [
      ...shared,
      `--kubeconfig=${join(dir, 'scheduler.conf')}`,
      '--port=0',
      '--leader-elect=true',
    ];
  return [
    ...shared,
    '--port=0',
    ...controllerFlags(stand, join(dir, 'pki'), join(dir, 'controller-manager.conf')),
    `--cluster-cidr=${NET}.64.0/18`,
    `--service-cluster-ip-range=${NET}.128.0/17`,
  ];
}

/** Certificates and keys, made by a cluster of ours that never starts its nodes: `orrery` has one door for them. */
function writeIdentity(stand) {
  const { home } = stand;
  writeFileSync(join(home, 'tokens.csv'), `${TOKEN},swap,swap,"system:masters"\n`);
  writeFileSync(
    stand.kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'c',
          cluster: { server: `https://${NET}.30.2:6443`, 'insecure-skip-tls-verify': true },
        },
      ],
      users: [{ name: 'u', user: { token: TOKEN } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
}

function run(stand, name, command, args) {
  const child = stand.start(name, command, args);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${name}: ${stand.log(name)}`)),
    );
  });
}

async function makeKeys(stand) {
  const at = (file) => join(stand.home, file);
  await run(stand, 'make-ca', 'openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=ca',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
  ]);
  await run(stand, 'make-sa', 'openssl', ['genrsa', '-out', at('sa.key'), '2048']);
  await run(stand, 'make-sa-pub', 'openssl', [
    'rsa',
    '-in',
    at('sa.key'),
    '-pubout',
    '-out',
    at('sa.pub'),
  ]);
}

function startEtcd(stand) {
  stand.start(
    'etcd',
    process.env.ORRERY_ETCD_BIN ?? 'etcd',
    [
      `--data-dir=${join(stand.home, 'etcd')}`,
      `--listen-client-urls=http://${NET}.30.1:2379`,
      `--advertise-client-urls=http://${NET}.30.1:2379`,
      `--listen-peer-urls=http://${NET}.30.1:2380`,
      `--initial-advertise-peer-urls=http://${NET}.30.1:2380`,
      `--initial-cluster=default=http://${NET}.30.1:2380`,
      '--unsafe-no-fsync',
    ].filter((flag) => flag !== '--unsafe-no-fsync'),
  );
}

const apiFlags = (stand) => [
  `--etcd-servers=http://${NET}.30.1:2379`,
  `--bind-address=${NET}.30.2`,
  '--secure-port=6443',
  `--service-cluster-ip-range=${SERVICE_CIDR}`,
  '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
  `--service-account-key-file=${join(stand.home, 'sa.pub')}`,
  `--service-account-signing-key-file=${join(stand.home, 'sa.key')}`,
  `--client-ca-file=${join(stand.home, 'ca.crt')}`,
  `--token-auth-file=${join(stand.home, 'tokens.csv')}`,
  '--authorization-mode=RBAC',
];

export async function upstreamApi(stand) {
  const certs = join(stand.home, 'certs');
  mkdirSync(certs, { recursive: true });
  stand.upstream('kube-apiserver', [
    ...apiFlags(stand),
    `--cert-dir=${certs}`,
    `--advertise-address=192.0.2.1`,
    '--endpoint-reconciler-type=none',
    '--storage-media-type=application/json',
    '--disable-admission-plugins=ServiceAccount',
    '--insecure-port=0',
    // Of 1.20, which cannot read the FlowSchemas of a later version.
    '--feature-gates=APIPriorityAndFairness=false',
  ]);
  await apiReady(stand, 'kube-apiserver');
}

export async function ourApi(stand) {
  stand.ours('kube-apiserver', [
    ...apiFlags(stand),
    '--disable-admission-plugins=ServiceAccount',
    '--serve-removed-apis',
  ]);
  await apiReady(stand, 'kube-apiserver');
}

async function apiReady(stand, name) {
  const kube = new Kube(stand.kubeconfig);
  try {
    await eventually(() => kube.run('get --raw /readyz'), 60_000);
    await eventually(() => kube.run('get ns default'), 30_000);
  } catch (error) {
    throw new Error(`${name}: ${error.message}\n${stand.log(name).slice(-3000)}`);
  }
}

/** etcd with certificates and a token beside it, and no API server yet. */
export async function emptyStand(folder) {
  const stand = new Stand(folder);
  try {
    writeIdentity(stand);
    await makeKeys(stand);
    startEtcd(stand);
    return stand;
  } catch (error) {
    await stand.close();
    throw error;
  }
}

const bareNode = (name, index) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
  },
  status: {
    capacity: { cpu: '4', memory: '8Gi', pods: '110' },
    allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
    addresses: [
      { type: 'InternalIP', address: `${NET}.40.${index + 1}` },
      { type: 'Hostname', address: name },
    ],
  },
});

/** Kubelets of ours without processes, for the Nodes that are there. */
function startNodes(stand) {
  const args = [`--kubeconfig=${stand.kubeconfig}`, `--root-dir=${join(stand.home, 'hollow')}`];
  const file = join(stand.home, 'hollow-nodes.json');
  writeFileSync(file, JSON.stringify([{ name: 'hollow-nodes', app: 'hollow-nodes', args }]));
  stand.start('hollow-nodes', process.execPath, [
    '--enable-source-maps',
    join(dist, 'orrery.js'),
    'run',
    file,
  ]);
}

/** An upstream API server with our (or upstream's) controllers and scheduler, over nodes without processes. */
export async function clusterOnUpstream(folder, { controllers, scheduler }) {
  const stand = await emptyStand(folder);
  try {
    await upstreamApi(stand);
    const kube = new Kube(stand.kubeconfig);
    await kube.run(
      'create -f -',
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: ['bare-1', 'bare-2'].map(bareNode) }),
    );
    const certs = (name) => {
      const dir = join(stand.home, `certs-${name}`);
      mkdirSync(dir, { recursive: true });
      return `--cert-dir=${dir}`;
    };
    const ranges = [`--cluster-cidr=${POD_CIDR}`, `--service-cluster-ip-range=${SERVICE_CIDR}`];
    const manager = [
      ...controllerFlags(stand, stand.home, stand.kubeconfig),
      ...ranges,
      `--bind-address=${NET}.30.3`,
    ];
    const schedule = [
      `--kubeconfig=${stand.kubeconfig}`,
      `--bind-address=${NET}.30.4`,
      '--leader-elect=true',
    ];
    if (controllers === 'upstream')
      stand.upstream('kube-controller-manager', [
        ...manager,
        certs('kcm'),
        '--port=0',
        ...UNLIMITED,
      ]);
    else stand.ours('kube-controller-manager', manager);
    if (scheduler === 'upstream')
      stand.upstream('kube-scheduler', [...schedule, certs('scheduler'), '--port=0', ...UNLIMITED]);
    else stand.ours('kube-scheduler', schedule);
    startNodes(stand);
    await eventually(() => kube.run('wait --for=condition=Ready nodes --all --timeout=5s'), 60_000);
    return {
      stand,
      kubeconfig: stand.kubeconfig,
      facts: { hasPolicyV1: false, hasCronJobV1: false, hasProcesses: false },
    };
  } catch (error) {
    const tails = ['kube-controller-manager', 'kube-scheduler', 'hollow-nodes'].map(
      (name) => `${name}: ${stand.log(name).slice(-1500)}`,
    );
    await stand.close();
    throw new Error(`${error.message}\n${tails.join('\n')}`, { cause: error });
  }
}
