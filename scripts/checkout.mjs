// What the scripts know of this checkout: folders, the Node that it brings, running clusters. Plain JavaScript for Node >= 20.19.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const dist = process.env.ORRERY_DIST ?? join(root, 'dist');

const OLDEST_NODE = [20, 19];
const STAMP = join(root, 'node_modules', '.orrery-lock-hash');

export function say(text) {
  process.stderr.write(`${text}\n`);
}

export function fail(text, code = 1) {
  say(`orrery: ${text}`);
  process.exit(code);
}

export function checkNodeVersion() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]))
    fail(
      `Node ${process.versions.node} is too old: Orrery needs Node ${OLDEST_NODE.join('.')} or newer to install its own Node 24; install one from your distribution or https://nodejs.org and try again`,
    );
}

const read = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Whether the process is one of ours; where there is no /proc any living process counts. */
const isOurs = (pid) =>
  pid > 0 &&
  isAlive(pid) &&
  (!existsSync('/proc/self/cmdline') || read(`/proc/${pid}/cmdline`).includes('orrery'));

/** Supervisors that run from this checkout's bundles, wherever their clusters are: `cluster "x" (process 1)`. */
export function runningClusters() {
  const home = process.env.ORRERY_HOME ?? join(root, '.orrery');
  const names = existsSync(home) ? readdirSync(home) : [];
  const found = new Map(
    names
      .map((name) => [Number(read(join(home, name, 'run', 'orrery.pid'))), `cluster "${name}"`])
      .filter(([pid]) => isOurs(pid)),
  );
  const pids = existsSync('/proc/self/cmdline') ? readdirSync('/proc').filter(Number) : [];
  for (const pid of pids) {
    const [, ...args] = read(`/proc/${pid}/cmdline`).split('\0');
    const at = args.indexOf(join(dist, 'orrery.js'));
    if (at >= 0 && args[at + 1] === 'up' && !found.has(Number(pid)))
      found.set(Number(pid), 'a cluster');
  }
  return [...found].map(([pid, name]) => `${name} (process ${pid})`);
}

const LOCK = join(root, '.cache', 'setup.lock');
const LOCK_POLL_MS = 200;

function tryLock() {
  try {
    mkdirSync(dirname(LOCK), { recursive: true });
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    // A checkout that this user cannot write: there is nothing to install or build, or that says so.
    return error.code !== 'EEXIST';
  }
}

/** Two commands of one checkout must not install or build at the same time. */
export function whileAlone(go) {
  let isToldOf = 0;
  while (!tryLock()) {
    const owner = Number(read(LOCK));
    if (owner > 0 && !isAlive(owner)) rmSync(LOCK, { force: true });
    else {
      if (owner !== isToldOf)
        say(`orrery: waiting for process ${owner}, which installs or builds this checkout …`);
      isToldOf = owner;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
    }
  }
  const unlock = () => {
    if (Number(read(LOCK)) === process.pid) rmSync(LOCK, { force: true });
  };
  process.once('exit', unlock);
  const result = go();
  unlock();
  return result;
}

/** Runs `npm ci` when package-lock.json changed since the last install and no cluster of this checkout runs. */
export function ensureInstalled() {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (read(STAMP) === hash) return;
  const isFirst = !existsSync(join(root, 'node_modules'));
  const running = isFirst ? [] : runningClusters();
  if (running.length > 0) {
    say(
      `orrery: package-lock.json changed, but ${running.join(' and ')} of this checkout runs: going on with the installed packages; stop it and run this again to install the new ones`,
    );
    return;
  }
  say(`orrery: installing packages (npm ci${isFirst ? ', about a minute' : ''}) …`);
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.error)
    fail(
      npm.error.code === 'ENOENT'
        ? 'npm is not installed: install it (Debian, Ubuntu: apt-get install npm) and try again'
        : `npm cannot be run: ${npm.error.message}`,
    );
  if (npm.status !== 0)
    fail(
      'npm ci failed; see its messages above. Without a network it needs a filled npm cache',
      npm.status ?? 1,
    );
  writeFileSync(STAMP, hash);
}

/** The Node 24 of the project's platform package, or the running one where there is none for this platform. */
export function projectNode() {
  const own = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(own) ? own : process.execPath;
}

/** The environment of every child: the project's Node and tools first on PATH. */
export function childEnv(extra = {}) {
  const path = [dirname(projectNode()), join(root, 'node_modules', '.bin'), process.env.PATH];
  return { ...process.env, PATH: path.join(':'), ...extra };
}

/** Runs a program in the checkout with inherited output; the exit code. */
export function run(command, args, extraEnv = {}) {
  const child = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: childEnv(extraEnv) });
  if (child.error) fail(`${command} cannot be run: ${child.error.message}`);
  return child.status ?? 1;
}

export const jestArgs = (project, rest) => [
  '--experimental-vm-modules',
  '--no-warnings',
  join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
  // Paths first: --selectProjects takes every word that follows.
  ...rest,
  '--selectProjects',
  project,
];
