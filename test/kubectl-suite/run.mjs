// npm run test:kubectl [-- NAME …]: upstream's own tests of kubectl 1.20.2 (test/cmd) against our API server and controllers.
// KUBE_BIN_DIR=FOLDER of prepare.mjs.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ETCD_PROGRAM, etcdFlags } from '../../bench/etcd.mjs';
import { reasonToSkip } from './skips.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const dist = process.env.ORRERY_DIST ?? join(root, 'dist');
const folderOfKube = process.env.KUBE_BIN_DIR ?? join(root, '.cache', 'kube-bin');
const kubectl = join(folderOfKube, 'kubectl');
const scripts = join(folderOfKube, 'test-cmd');
const ETCD = '127.234.30.1';
/** Upstream's scripts name this host. */
const HOST = '127.0.0.1';
const PORTS = { api: process.env.KUBECTL_SUITE_PORT ?? '17443', controllers: '17257' };
const LIMIT_MS = Number(process.env.KUBECTL_SUITE_SECONDS ?? '600') * 1000;

const say = (text) => process.stdout.write(`${text}\n`);
const children = [];

function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  child.said = '';
  child.gone = new Promise((done) => child.once('close', done));
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => (child.said = (child.said + text).slice(-2_000_000)));
  children.push(child);
  return child;
}

/** Names of upstream's functions, in its order. */
function namesIn(tree) {
  const text = readFileSync(join(tree, 'test/cmd/legacy-script.sh'), 'utf8');
  const found = text.matchAll(/^\s*record_command run_(\w+)_tests\b/gm);
  return [...new Set(Array.from(found, ([, name]) => name))];
}

async function untilReady(child, ready) {
  for (let i = 0; i < 600; i++) {
    if (await ready()) return;
    if (child.exitCode !== null) break;
    await sleep(100);
  }
  throw new Error(`not ready: ${child.said.slice(-4000)}`);
}

const answers = (url) =>
  fetch(url, { headers: { authorization: 'Bearer admin-token' } }).then(
    ({ ok }) => ok,
    () => false,
  );

async function startCluster(folder, tree) {
  const key = join(folder, 'sa.key');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  start(ETCD_PROGRAM, etcdFlags(ETCD, join(folder, 'etcd')));
  await sleep(700);
  // As hack/make-rules/test-cmd.sh starts them, and what has been removed since 1.20.
  const api = start(process.execPath, [
    join(dist, 'kube-apiserver.js'),
    `--etcd-servers=http://${ETCD}:2379`,
    `--bind-address=${HOST}`,
    `--secure-port=${PORTS.api}`,
    '--authorization-mode=RBAC,AlwaysAllow',
    '--enable-admission-plugins=LimitRanger,ResourceQuota',
    '--disable-admission-plugins=ServiceAccount,DefaultStorageClass,DefaultTolerationSeconds,MutatingAdmissionWebhook,ValidatingAdmissionWebhook,StorageObjectInUseProtection',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--cert-dir=${folder}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    `--client-ca-file=${join(tree, 'hack/testdata/ca.crt')}`,
    `--token-auth-file=${join(tree, 'hack/testdata/auth-tokens.csv')}`,
    '--serve-removed-apis',
    // kubectl 1.20 knows v1 of autoscalers as the preferred version.
    '--runtime-config=autoscaling/v2=false',
  ]);
  const url = `https://${HOST}:${PORTS.api}`;
  await untilReady(api, () => answers(`${url}/readyz`));
  const kubeconfig = join(folder, 'controllers.conf');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'admin-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const controllers = start(process.execPath, [
    join(dist, 'kube-controller-manager.js'),
    `--kubeconfig=${kubeconfig}`,
    `--bind-address=${HOST}`,
    `--secure-port=${PORTS.controllers}`,
    '--leader-elect=false',
  ]);
  await untilReady(controllers, () => answers(`https://${HOST}:${PORTS.controllers}/healthz`));
  // There is no kubelet: the node that test-cmd.sh makes.
  const node = { kind: 'Node', apiVersion: 'v1', metadata: { name: '127.0.0.1' } };
  const { status } = await fetch(`${url}/api/v1/nodes`, {
    method: 'POST',
    headers: { authorization: 'Bearer admin-token', 'content-type': 'application/json' },
    body: JSON.stringify({ ...node, status: { capacity: { memory: '1Gi' } } }),
  });
  if (status !== 201) throw new Error(`the node cannot be created: ${status}`);
}

async function runOne(tree, bin, name, reports) {
  const began = performance.now();
  const child = start('bash', [join(here, 'run-one.sh'), tree, name], {
    env: {
      ...process.env,
      KUBECTL_FOLDER: bin,
      TMPDIR: dirname(tree),
      SECURE_API_PORT: PORTS.api,
      SECURE_CTLRMGR_PORT: PORTS.controllers,
      KUBE_JUNIT_REPORT_DIR: join(reports, 'junit'),
    },
    detached: true,
  });
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), LIMIT_MS);
  const code = await child.gone;
  clearTimeout(timer);
  writeFileSync(join(reports, `${name}.log`), child.said);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const outcome = code === 0 ? 'passed' : code === null ? 'too long' : 'FAILED';
  say(`kubectl-suite: ${outcome.padEnd(8)} ${seconds.padStart(6)} s  ${name}`);
  return outcome;
}

async function main(wanted) {
  for (const path of [kubectl, scripts])
    if (!existsSync(path)) {
      say(
        `kubectl-suite: KUBE_BIN_DIR has no ${basename(path)} (prepare.mjs makes it): nothing was tested`,
      );
      return 0;
    }
  const folder = mkdtempSync(join(tmpdir(), 'orrery-kubectl-suite-'));
  const reports = process.env.KUBECTL_SUITE_REPORTS ?? mkdtempSync(`${folder}-reports-`);
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    const tree = join(folder, 'tree');
    // The scripts write into their tree.
    cpSync(scripts, tree, { recursive: true, verbatimSymlinks: true });
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    mkdirSync(reports, { recursive: true });
    symlinkSync(resolve(kubectl), join(bin, 'kubectl'));
    await startCluster(folder, tree);
    const results = [];
    for (const name of namesIn(tree)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const reason = reasonToSkip(name);
      if (reason !== undefined && wanted.length === 0) {
        say(`kubectl-suite: left out ${name}: ${reason}`);
        results.push('left out');
      } else results.push(await runOne(tree, bin, name, reports));
    }
    const count = (outcome) => results.filter((one) => one === outcome).length;
    const bad = results.length - count('passed') - count('left out');
    say(
      `kubectl-suite: ${count('passed')} of ${results.length} passed, ${bad} failed, ${count('left out')} left out; logs in ${reports}`,
    );
    return bad === 0 ? 0 : 1;
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const child of children) child.kill('SIGKILL');
    process.exit(130);
  });
process.exitCode = await main(process.argv.slice(2));
