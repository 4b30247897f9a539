// KUBE_BIN_DIR=FOLDER npm run test:conformance [-- FOCUS]: upstream's conformance suite (e2e.test 1.20.2, see prepare.mjs; a later
// one where `ginkgo` lies beside it) against a cluster of ours. FOCUS is a regular expression on names of specs. Prints a table of the SIGs and each failed spec.
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { furtherReason } from './further.mjs';
import { skipReason } from './skips.mjs';
import { Internet } from './internet.mjs';
import { bePatient } from './patient-probes.mjs';
import { keepPrivate } from './private-registry.mjs';
import * as ginkgo1 from './suite.mjs';
import * as ginkgo2 from './suite-v2.mjs';
import { TokenSecrets } from './token-secrets.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const say = (text) => process.stdout.write(`${text}\n`);

const folder = process.env.KUBE_BIN_DIR ?? join(root, '.cache', 'kube-bin');
const program = join(folder, 'e2e.test');
/** Releases since 1.25 bring Ginkgo 2 and its command beside e2e.test. */
const IS_GINKGO_2 = existsSync(join(folder, 'ginkgo'));
const { listSpecs, runSpecs } = IS_GINKGO_2 ? ginkgo2 : ginkgo1;
/** N of the suite's version 1.N; that of the newest where it does not tell. */
const MINOR = Number(
  /v1\.(\d+)/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? Infinity,
);
const dist = process.env.ORRERY_DIST ?? join(root, 'dist');
const BLOCK = process.env.CONFORMANCE_BLOCK ?? '232';
const PROCESSES = Number(process.env.CONFORMANCE_PROCESSES ?? '4');
const NODES = process.env.CONFORMANCE_NODES ?? '3';
/** Further flags of `orrery up`, e.g. `--network netns`. */
const UP = (process.env.CONFORMANCE_UP ?? '').split(' ').filter(Boolean);
const NETWORK = /--network[ =](\w+)/.exec(UP.join(' '))?.[1] ?? 'loopback';
/** Seconds that a readiness probe which runs a program may take; 0 = what the suite says. */
const PROBE_SECONDS = Number(process.env.CONFORMANCE_PROBE_SECONDS ?? '0');
const READY_MS = 120_000;
const STOP_MS = 60_000;
/** Of what `orrery up` says last, for an error. */
const SAID_CHARS = 4_000;

async function startCluster(home, flags) {
  const child = spawn(
    process.execPath,
    [join(dist, 'orrery.js'), 'up', '--nodes', NODES, '--block', BLOCK, '--fresh', ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ORRERY_HOME: home } },
  );
  const gone = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  const ready = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        said = (said + text).slice(-SAID_CHARS);
        if (said.includes('ready in')) resolve(true);
      });
  });
  const late = new Promise((resolve) => setTimeout(resolve, READY_MS, false).unref());
  const up = await Promise.race([ready, late, gone.then(() => false)]);
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
  };
  if (!up) {
    await stop();
    throw new Error(`the cluster does not come up; see ${home}\n${said}`);
  }
  return { kubeconfig: join(home, 'orrery', 'admin.conf'), stop };
}

/** The kubectl that the suite uses. One spec copies it into a pod and runs it there as `kubectl`: it needs that name. */
function kubectlIn(reports) {
  const given = process.env.KUBECTL_BIN ?? 'kubectl';
  if (basename(given) === 'kubectl') return given;
  const path = join(reports, 'kubectl');
  copyFileSync(given, path);
  return path;
}

function suiteArgs(kubeconfig, reports) {
  const kubectl = kubectlIn(reports);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--host=${/server: "?(https:[^"\s]+)/.exec(readFileSync(kubeconfig, 'utf8'))[1]}`,
    `--kubectl-path=${kubectl}`,
    '--provider=skeleton',
    `--report-dir=${reports}`,
    '--disable-log-dump',
    '--dump-logs-on-failure=false',
    '--num-nodes=2',
    '--non-blocking-taints=node-role.kubernetes.io/control-plane,node-role.kubernetes.io/master',
    '--allowed-not-ready-nodes=1',
    ...(IS_GINKGO_2 ? [] : ['--ginkgo.slowSpecThreshold=600']),
  ];
}

/** The specs of this run, and why one of them is left out. */
const SETS = {
  conformance: {
    select: async () => listSpecs(program, String.raw`\[Conformance\]`),
    reasonOf: (name) => skipReason(name, MINOR),
    up: [],
  },
  further: {
    select: async () =>
      (await listSpecs(program, '.')).filter((name) => !name.includes('[Conformance]')),
    reasonOf: (name) => furtherReason(name, NETWORK) ?? skipReason(name, MINOR),
    // Specs ask for versions that have been removed since: flowcontrol v1beta3 in those of 1.28.
    up: ['--extra-arg', 'kube-apiserver.serve-removed-apis=true'],
  },
};

const sigOf = (name) => /^\[(sig-[a-z-]+|k8s\.io)\]/.exec(name)?.[1] ?? 'other';

function table(results) {
  const sigs = [...new Set(results.map(({ name }) => sigOf(name)))].sort();
  const count = (sig, outcome) =>
    results.filter((r) => (sig === 'all' || sigOf(r.name) === sig) && r.outcome === outcome).length;
  const row = (cells) =>
    `| ${cells.map((cell, i) => (i === 0 ? String(cell).padEnd(20) : String(cell).padStart(7))).join(' | ')} |`;
  return [
    row(['SIG', 'passed', 'failed', 'skipped']),
    row(['-'.repeat(20), '-'.repeat(7), '-'.repeat(7), '-'.repeat(7)]),
    ...[...sigs, 'all'].map((sig) =>
      row([sig, count(sig, 'passed'), count(sig, 'failed'), count(sig, 'skipped')]),
    ),
  ].join('\n');
}

const firstLines = (message) =>
  message.trim().split('\n').slice(0, 4).join('\n      ').slice(0, 600);

async function main() {
  if (!existsSync(program)) {
    say(
      `conformance: ${program} is not there: node test/conformance-suite/prepare.mjs FOLDER builds it; then KUBE_BIN_DIR=FOLDER`,
    );
    process.exitCode = 1;
    return;
  }
  const focus = new RegExp(process.argv[2] ?? '');
  /** Names, a line each, that a run does without: those that have passed. */
  const except = new Set(
    process.env.CONFORMANCE_EXCEPT
      ? readFileSync(process.env.CONFORMANCE_EXCEPT, 'utf8').split('\n')
      : [],
  );
  const { select, reasonOf, up } = SETS[process.env.CONFORMANCE_SPECS ?? 'conformance'];
  const all = (await select()).filter((name) => focus.test(name) && !except.has(name));
  const skipped = all.filter((name) => reasonOf(name));
  const names = all.filter((name) => !reasonOf(name));
  const work =
    process.env.CONFORMANCE_REPORTS ?? mkdtempSync(join(tmpdir(), 'orrery-conformance-'));
  mkdirSync(work, { recursive: true });
  say(`conformance: ${names.length} specs, ${skipped.length} left out; logs in ${work}`);
  const from = performance.now();
  const given = process.env.CONFORMANCE_KUBECONFIG;
  const cluster = given
    ? { kubeconfig: given, stop: async () => {} }
    : await startCluster(join(work, 'home'), [...up, ...UP]);
  keepPrivate(cluster.kubeconfig);
  if (PROBE_SECONDS > 0) bePatient(cluster.kubeconfig, PROBE_SECONDS);
  const results = skipped.map((name) => ({
    name,
    outcome: 'skipped',
    seconds: 0,
    message: reasonOf(name),
  }));
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ending.abort());
  // Specs of releases since 1.24 want none.
  const secrets = IS_GINKGO_2 || new TokenSecrets(cluster.kubeconfig, ending.signal).run();
  const internet = new Internet();
  const asking = await internet.start();
  const run = async (chosen, processes, label) => {
    if (chosen.length === 0 || ending.signal.aborted) return;
    results.push(
      ...(await runSpecs(chosen, {
        program,
        args: suiteArgs(cluster.kubeconfig, work),
        signal: ending.signal,
        processes,
        folder: work,
        label,
        env: { ...process.env, ...asking },
        onResult: (result) => {
          say(
            `conformance: ${result.outcome.padEnd(7)} ${result.seconds.toFixed(1).padStart(6)} s  ${result.name}`,
          );
          if (result.outcome === 'passed')
            appendFileSync(join(work, 'passed.txt'), `${result.name}\n`);
          if (result.outcome === 'failed') {
            say(`      ${firstLines(result.message)}`);
            writeFileSync(
              join(work, `${result.name.replace(/\W+/g, '-').slice(0, 150)}.txt`),
              `${result.name}\n${result.message}\n\n${result.output}`,
            );
          }
        },
      })),
    );
  };
  try {
    const isSerial = (name) => name.includes('[Serial]');
    await run(
      names.filter((name) => !isSerial(name)),
      PROCESSES,
      'parallel',
    );
    await run(names.filter(isSerial), 1, 'serial');
  } finally {
    ending.abort();
    internet.stop();
    await secrets;
    await cluster.stop();
  }
  writeFileSync(
    join(work, 'results.json'),
    JSON.stringify(
      results.map(({ name, outcome, seconds, message }) => ({ name, outcome, seconds, message })),
      undefined,
      1,
    ),
  );
  say(`\n${table(results)}\n`);
  for (const { name, outcome, message } of results.filter(({ outcome }) => outcome !== 'passed'))
    say(`${outcome}: ${name}\n      ${firstLines(message)}`);
  say(
    `\nconformance: ${((performance.now() - from) / 60_000).toFixed(1)} minutes, ${PROCESSES} processes`,
  );
  if (results.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1;
}

await main();
