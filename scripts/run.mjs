// The door of every npm script: installs what is missing, then runs the command on the project's own Node.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import {
  checkNodeVersion,
  childEnv,
  dist,
  ensureInstalled,
  fail,
  jestArgs,
  projectNode,
  root,
  run,
  whileAlone,
} from './checkout.mjs';

const [command = 'start', ...rest] = process.argv.slice(2);
const node = projectNode;
const script = (name) => join(root, 'scripts', name);
const bin = (...path) => join(root, 'node_modules', ...path);

const build = () => whileAlone(() => run(node(), [script('build.mjs')]));

/** Replaces this process as far as Node can: same terminal, signals go to the child, its exit code is ours. */
function become(program, args, env = {}) {
  const child = spawn(program, args, { cwd: process.cwd(), stdio: 'inherit', env: childEnv(env) });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

function orrery(args) {
  const code = build();
  if (code !== 0) process.exit(code);
  become(node(), [join(dist, 'orrery.js'), ...args], {
    NODE_COMPILE_CACHE: join(dist, '.compile-cache'),
  });
}

/** A suite that runs on what is built, of the folder test/NAME. */
function suite(name) {
  const code = build();
  if (code !== 0) process.exit(code);
  become(node(), [join(root, 'test', name, 'run.mjs'), ...rest]);
}

const commands = {
  start: () => orrery(['up', ...rest]),
  orrery: () => orrery(rest),
  build: () => process.exit(build()),
  test: () => become(node(), [script('test.mjs'), ...rest]),
  lint: () => become(node(), [script('test.mjs'), '--only', 'lint', ...rest]),
  typecheck: () => become(node(), [bin('typescript', 'bin', 'tsc'), '--noEmit', ...rest]),
  unit: () => become(node(), jestArgs('unit', rest)),
  int: () => become(node(), jestArgs('int', rest)),
  e2e: () => {
    const code = build();
    if (code !== 0) process.exit(code);
    become(node(), jestArgs('e2e', ['--runInBand', ...rest]));
  },
  'test:containerd': () => {
    const code = build();
    if (code !== 0) process.exit(code);
    process.env.ORRERY_CONTAINERD = '1';
    become(node(), jestArgs('e2e', ['--runInBand', 'test/containerd', ...rest]));
  },
  'fuzz:nodes': () => {
    process.env.ORRERY_FUZZ_SECONDS ??= '600';
    const fuzzers = ['container-runtime/src/fuzz', 'kubelet-server', 'dataplane/src/fuzz'];
    become(node(), jestArgs('int', [...fuzzers, ...rest]));
  },
  fuzz: () => become(node(), [script('fuzz.mjs'), ...rest]),
  'test:upstream-types': () => become(node(), [script('upstream-types.mjs'), ...rest]),
  'check:consistency': () => {
    const code = build();
    if (code !== 0) process.exit(code);
    become(node(), [script('check-consistency.mjs'), ...rest]);
  },
  'test:crash-points': () => {
    process.env.CRASH_POINTS = rest.join(' ') || 'all';
    become(node(), jestArgs('int', ['crash-points/crash-points']));
  },
  'test:swap': () => suite('swap'),
  'test:conformance': () => suite('conformance-suite'),
  'test:differential': () => suite('differential'),
  'test:kubectl': () => suite('kubectl-suite'),
  'test:integration': () => suite('integration-suite'),
  'test:client-go': () => suite('client-go'),
  bench: () => {
    const code = build();
    if (code !== 0) process.exit(code);
    become(node(), [join(root, 'bench', 'run.mjs'), ...rest]);
  },
};

checkNodeVersion();
const chosen = commands[command];
if (!chosen) fail(`unknown command ${command}; one of ${Object.keys(commands).join(', ')}`, 2);
whileAlone(ensureInstalled);
chosen();
