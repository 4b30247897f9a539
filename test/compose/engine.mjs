// A docker engine of the test's own: its data, its socket, its end.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, say } from '../../scripts/checkout.mjs';
import { aptOptions } from '../apt.mjs';

const has = (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

const V1 = ['docker-compose'];
const V2 = ['docker', 'compose'];
const isThere = (command) => has(...command, 'version');

/** Puts Compose v2 into a folder of plugins of the test's own, from Debian's archive: Debian stable has 1.29 alone. */
function fetchV2(folder) {
  const plugins = join(folder, 'cli-plugins');
  const unpacked = join(folder, 'unpacked');
  mkdirSync(plugins, { recursive: true });
  try {
    const options = aptOptions(folder, 'deb', 'sid');
    const apt = (...args) =>
      spawnSync('apt-get', [...options, '-q', ...args], { cwd: folder, stdio: 'ignore' });
    apt('update');
    apt('download', 'docker-compose');
  } catch (error) {
    say(`orrery: ${error.message}`);
    return false;
  }
  const [archive] = globSync(join(folder, 'docker-compose_2.*.deb'));
  if (!archive || !has('dpkg', '-x', archive, unpacked)) return false;
  const [program] = globSync(join(unpacked, 'usr/{bin,libexec/docker/cli-plugins}/docker-compose'));
  if (!program) return false;
  renameSync(program, join(plugins, 'docker-compose'));
  rmSync(unpacked, { recursive: true });
  return true;
}

/** Compose v2 as the machine has it, or as Debian's archive; undefined where neither is. Sets DOCKER_CONFIG for the second. */
function findV2(folder) {
  if (isThere(V2)) return V2;
  const own = join(folder, 'compose-v2');
  if (!existsSync(join(own, 'cli-plugins', 'docker-compose')) && !fetchV2(own)) return undefined;
  process.env.DOCKER_CONFIG = own;
  return isThere(V2) ? V2 : undefined;
}

/**
 * The command line of Compose. `version`: '1' = docker-compose 1.29, '2' = docker compose, fetched into `folder` where it is
 * not installed; undefined = whichever is there, v2 first.
 */
function findCompose(version, folder) {
  if (version === '2') return findV2(folder);
  const known = version === '1' ? [V1] : [V2, V1];
  return known.find(isThere);
}

/**
 * Installs Debian's engine and Compose when they are missing, or says what to do. Undefined where that version of Compose,
 * asked for by name, cannot be had.
 */
export function ensureDocker(version, folder) {
  if (process.getuid?.() !== 0) fail('the compose test starts a docker engine: run it as root');
  if (!has('dockerd', '--version') || !findCompose()) {
    say('orrery: installing docker.io and docker-compose (apt-get install) …');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const names = ['docker.io', 'docker-compose'];
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...names], {
      stdio: ['ignore', 'ignore', 2],
      env,
    });
  }
  if (!findCompose() || !has('dockerd', '--version'))
    fail(
      'the compose test needs dockerd and docker-compose: apt-get install docker.io docker-compose',
    );
  return findCompose(version, folder);
}

/** A docker engine on its own folder, started unless one runs there; `host` is its DOCKER_HOST. Images stay for the next time. */
export async function startEngine(folder) {
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, 'docker.sock');
  const host = `unix://${socket}`;
  const env = { ...process.env, DOCKER_HOST: host };
  const isUp = () =>
    existsSync(socket) && spawnSync('docker', ['info'], { env, stdio: 'ignore' }).status === 0;
  if (isUp()) return { host, stop: () => Promise.resolve() };
  const logFile = join(folder, 'dockerd.log');
  const log = openSync(logFile, 'w');
  const args = [`--data-root=${join(folder, 'data')}`, `--exec-root=${join(folder, 'exec')}`];
  const engine = spawn(
    'dockerd',
    [...args, '--host', host, '--pidfile', join(folder, 'docker.pid')],
    { stdio: ['ignore', log, log] },
  );
  closeSync(log);
  const ended = new Promise((resolve) => engine.once('exit', resolve));
  for (let i = 0; i < 120 && engine.exitCode === null; i++) {
    if (isUp())
      return {
        host,
        async stop() {
          engine.kill('SIGTERM');
          await ended;
        },
      };
    await sleep(250);
  }
  engine.kill('SIGTERM');
  await ended;
  const end = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  return fail(`dockerd did not start; the end of ${logFile}:\n${end}`);
}
