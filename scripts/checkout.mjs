// What the scripts know of this checkout: folders, the Node that it brings, running clusters. Plain JavaScript for Node >= 20.19.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
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
      `Node ${process.versions.node} is too old: Orrery needs Node ${OLDEST_NODE.join('.')} or newer to install its own Node 24`,
    );
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Names of the clusters of this checkout whose supervisor lives. */
export function runningClusters() {
  const home = process.env.ORRERY_HOME ?? join(root, '.orrery');
  if (!existsSync(home)) return [];
  return readdirSync(home).filter((name) => {
    const file = join(home, name, 'run', 'orrery.pid');
    return existsSync(file) && isAlive(Number(readFileSync(file, 'utf8')));
  });
}

/** Runs `npm ci` when package-lock.json changed since the last install and no cluster of this checkout runs. */
export function ensureInstalled() {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return;
  const running = runningClusters();
  if (running.length > 0) {
    say(
      `orrery: package-lock.json changed, but cluster ${running.join(', ')} of this checkout is running: not reinstalling until it is stopped`,
    );
    return;
  }
  say('orrery: installing packages (npm ci) …');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.error) fail(`npm cannot be run: ${npm.error.message}; install npm and try again`);
  if (npm.status !== 0) fail('npm ci failed; see its messages above', npm.status ?? 1);
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
  '--selectProjects',
  project,
  ...rest,
];
