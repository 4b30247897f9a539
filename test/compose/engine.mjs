// A docker engine of the test's own: its data, its socket, its end.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, say } from '../../scripts/checkout.mjs';

const has = (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** The command line of Compose: v2 where it is there, else docker-compose 1.29. */
function findCompose() {
  if (has('docker', 'compose', 'version')) return ['docker', 'compose'];
  return has('docker-compose', 'version') ? ['docker-compose'] : undefined;
}

/** Installs Debian's engine and Compose when they are missing, or says what to do. */
export function ensureDocker() {
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
  const compose = findCompose();
  if (!compose || !has('dockerd', '--version'))
    fail(
      'the compose test needs dockerd and docker-compose: apt-get install docker.io docker-compose',
    );
  return compose;
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
