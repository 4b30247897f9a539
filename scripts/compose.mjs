// npm run compose -- ARGUMENTS: docker compose with these arguments, after a look at what it needs: an engine, values of .env that can
// be, ports that are free, an image. What is not right is said in one line, and nothing is left of an `up` that failed.
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { readFileSync } from 'node:fs';
import { fail, root, say } from './checkout.mjs';

const OLDEST_API = [1, 40];
const OLDEST = 'Docker 19.03 (API 1.40)';
const PROFILES = ['large', 'small', 'netns'];
/** As docker-compose.yml publishes them. */
const NODE_PORTS = Array.from({ length: 32 }, (_, i) => 30_000 + i);

const quiet = (program, ...args) =>
  spawnSync(program, args, { cwd: root, encoding: 'utf8', timeout: 60_000 });
const works = (...command) => quiet(...command).status === 0;
const lines = (text) => text.split('\n').filter((line) => line.trim() !== '');

/** Compose v2 where it is there, else docker-compose 1.29. */
function findCompose() {
  if (works('docker', 'compose', 'version')) return ['docker', 'compose'];
  if (works('docker-compose', 'version')) return ['docker-compose'];
  return fail(
    'neither docker compose nor docker-compose is installed (Debian, Ubuntu: apt-get install docker.io docker-compose)',
  );
}

const isOlder = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST_API[0] || (major === OLDEST_API[0] && minor < OLDEST_API[1]);
};

function requireEngine() {
  const asked = quiet(
    'docker',
    'version',
    '--format',
    '{{.Server.Version}} {{.Server.APIVersion}}',
  );
  if (asked.error?.code === 'ENOENT')
    fail('docker is not installed (Debian, Ubuntu: apt-get install docker.io docker-compose)');
  const said = lines(asked.stderr ?? '').at(-1) ?? '';
  if (/permission denied/i.test(said))
    fail(
      'this user may not use the Docker engine: run this as root or as a member of the group docker',
    );
  const [version = '', api = ''] = (asked.stdout ?? '').trim().split(' ');
  const old = /client version \S+ is too new\. Maximum supported API version is ([\d.]+)/.exec(
    said,
  );
  if (old || (asked.status === 0 && isOlder(api)))
    fail(
      `the Docker engine is too old: ${old ? `API ${old[1]}` : `${version} (API ${api})`}, ${OLDEST} or newer is needed`,
    );
  if (asked.status !== 0)
    fail(
      `no Docker engine answers at ${process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'}: start it (systemctl start docker), or name another in DOCKER_HOST`,
    );
}

const whole = (low, high) => ({
  wanted: `a whole number from ${low} to ${high}`,
  holds: (text) => /^\d+$/.test(text) && Number(text) >= low && Number(text) <= high,
});
const SIZE = {
  wanted: 'a size such as 512m or 2g, 64m at the least',
  holds(text) {
    const [, number, unit] = /^(\d+)([bkmg]?)b?$/i.exec(text) ?? [];
    const bytes = Number(number) * 1024 ** 'bkmg'.indexOf((unit || 'b').toLowerCase());
    return bytes >= 64 * 1024 ** 2;
  },
};
const RANGE = {
  wanted: 'an IPv4 range such as 10.244.0.0/16',
  holds(text) {
    const [, address = '', bits] = /^([\d.]+)\/(\d+)$/.exec(text) ?? [];
    const parts = address.split('.');
    return (
      parts.length === 4 &&
      parts.every((part) => /^\d{1,3}$/.test(part) && part < 256) &&
      bits <= 32
    );
  },
};
const IMAGE = { wanted: 'the name of an image', holds: (text) => /^[\w][\w./:@-]*$/.test(text) };
const VALUES = {
  ETCD_IMAGE: IMAGE,
  DEBIAN_IMAGE: IMAGE,
  NODE_IMAGE: IMAGE,
  ORRERY_IMAGE: IMAGE,
  ORRERY_PORT: whole(1, 65_535),
  CLUSTER_CIDR: RANGE,
  SERVICE_CIDR: RANGE,
  NODES: whole(1, 64),
  CONTROLLER_MANAGERS: whole(1, 16),
  SCHEDULERS: whole(1, 16),
  ETCD_MEMORY: SIZE,
  APISERVER_MEMORY: SIZE,
  CONTROLLER_MEMORY: SIZE,
  NODE_MEMORY: SIZE,
};

/** What the file says, and the environment instead, as Compose reads them. */
function settings() {
  const file = parseEnv(readFileSync(join(root, '.env'), 'utf8'));
  return { ...file, ...process.env };
}

function requireValues(values) {
  for (const [name, rule] of Object.entries(VALUES)) {
    const value = values[name] ?? '';
    if (!rule.holds(value))
      fail(`${name}=${value} (.env, or the environment): it must be ${rule.wanted}`);
  }
}

/** Those of the command line take the place of COMPOSE_PROFILES. */
function requireProfile(globals, values) {
  const asked = globals.flatMap((word, i) =>
    word === '--profile' ? [globals[i + 1] ?? ''] : (/^--profile=(.*)/.exec(word)?.slice(1) ?? []),
  );
  const profiles = asked.length > 0 ? asked : (values.COMPOSE_PROFILES ?? '').split(',');
  if (profiles.length !== 1 || !PROFILES.includes(profiles[0]))
    fail(`the profile "${profiles.join(',')}": it must be one of ${PROFILES.join(', ')}`);
}

const isFree = (port) =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code }) => {
      resolve(code !== 'EADDRINUSE');
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

/** Only of an engine on this machine can that be asked. */
async function requirePorts({ ORRERY_PORT, DOCKER_HOST = '' }) {
  if (/^(tcp|ssh|http):/.test(DOCKER_HOST)) return;
  for (const port of [Number(ORRERY_PORT), ...NODE_PORTS])
    if (!(await isFree(port)))
      fail(
        `127.0.0.1:${port} is taken: stop what listens there${port === Number(ORRERY_PORT) ? ', or choose another ORRERY_PORT in .env' : ''}`,
      );
}

/** Options of Compose before the command that take a word. */
const TAKES_A_WORD = new Set([
  '-f',
  '--file',
  '-p',
  '--project-name',
  '--profile',
  '--env-file',
  '-c',
  '--context',
  '--project-directory',
  '--log-level',
  '--ansi',
  '-H',
  '--host',
]);

/** The words before the command, the command, and those after it. */
function split(args) {
  let at = 0;
  while (at < args.length && args[at].startsWith('-')) at += TAKES_A_WORD.has(args[at]) ? 2 : 1;
  return { globals: args.slice(0, at), command: args[at], rest: args.slice(at + 1) };
}

/** Lines on standard error; of a Python trace, which docker-compose 1.29 prints, its last line alone. */
function withoutTraces(stream) {
  let isTrace = false;
  let last = '';
  const reader = createInterface({ input: stream });
  reader.on('line', (line) => {
    if (line.startsWith('Traceback (most recent call last)')) isTrace = true;
    if (!isTrace) say(line);
    else if (/^\S/.test(line) && /^[\w.]+(Error|Exception|Timeout)\b/.test(line)) last = line;
  });
  return new Promise((resolve) => {
    reader.on('close', () => {
      if (isTrace) say(`orrery: docker-compose failed: ${last}`);
      resolve();
    });
  });
}

/** Runs Compose to its end; its exit code. */
async function runCompose(compose, args) {
  const traces = compose.length === 1;
  const child = spawn(compose[0], [...compose.slice(1), ...args], {
    cwd: root,
    stdio: ['inherit', 'inherit', traces ? 'pipe' : 'inherit'],
  });
  // The terminal sends them to all; Compose answers, and this ends with it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      if (!process.stdin.isTTY) child.kill(signal);
    });
  const said = traces ? withoutTraces(child.stderr) : undefined;
  const code = await new Promise((resolve) => {
    child.on('exit', (status, signal) => resolve(status ?? 128 + (constants.signals[signal] ?? 0)));
  });
  await said;
  return code;
}

/** Why the certificates were not made, which is where a value that cannot be ends. */
function sayWhy(compose, globals) {
  const { stdout = '' } = quiet(...compose, ...globals, 'logs', '--no-color', '--tail=1', 'pki');
  const [, reason] = /\| *(orrery: .*)/.exec(stdout) ?? [];
  if (reason) say(reason);
}

/** Longer than a node takes, on a very busy machine, to find that it may not do what it must. */
const LOOK_MS = 60_000;
const LOOK_AGAIN_MS = 250;
/** Exit code of a program that refuses its flags, or lacks a capability. */
const REFUSED = 2;
const NODE_SERVICE = /^node(-small|-netns)?$/;

function statesOf(ids) {
  const service = '{{index .Config.Labels "com.docker.compose.service"}}';
  const format = `{{.Id}} {{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} ${service}`;
  return lines(quiet('docker', 'inspect', '-f', format, ...ids).stdout ?? '').map((line) => {
    const [id, status, code, restarts, name = ''] = line.split(' ');
    return {
      id,
      isNode: NODE_SERVICE.test(name),
      isRunning: status === 'running',
      hasRefused: status !== 'running' && Number(code) === REFUSED,
      isAgain: Number(restarts) > 0,
    };
  });
}

/** The end of what a container has said: of its errors, after all else. */
function saidBy(id) {
  const { stdout = '', stderr = '' } = quiet('docker', 'logs', '--tail=20', id);
  return lines(stdout + stderr);
}

/**
 * What a container says that has refused its work, as a node does without NET_ADMIN; undefined when all have begun it. A node
 * has begun when it says something else, which it does once it has found that it may.
 */
async function refusal(compose, globals) {
  const ids = lines(quiet(...compose, ...globals, 'ps', '-aq').stdout ?? '');
  for (const end = performance.now() + LOOK_MS; performance.now() < end;) {
    let isSilent = false;
    for (const { id, isNode, isRunning, hasRefused, isAgain } of statesOf(ids)) {
      if (!hasRefused && !(isNode && isRunning)) continue;
      const said = saidBy(id);
      if (hasRefused || (isAgain && said.at(-1)?.startsWith('orrery:')))
        return said.findLast((line) => line.startsWith('orrery')) ?? id;
      isSilent ||= said.length === 0;
    }
    if (!isSilent) return undefined;
    await setTimeout(LOOK_AGAIN_MS);
  }
  return undefined;
}

const compose = findCompose();
const args = process.argv.slice(2);
const { globals, command, rest } = split(args);
if (command === undefined) process.exit(await runCompose(compose, args));
requireEngine();
const values = settings();
requireValues(values);
if (command !== 'up') process.exit(await runCompose(compose, args));

requireProfile(globals, values);
const containers = lines(quiet(...compose, ...globals, 'ps', '-aq').stdout ?? '');
if (containers.length === 0) await requirePorts(values);
if (rest.includes('--no-build') && !works('docker', 'image', 'inspect', values.ORRERY_IMAGE))
  fail(
    `the image ${values.ORRERY_IMAGE} is not built: leave out --no-build, or name another in ORRERY_IMAGE`,
  );
const code = await runCompose(compose, args);
const detached = rest.some((word) => word === '-d' || word === '--detach');
const refused = code === 0 && detached ? await refusal(compose, globals) : undefined;
if (refused) say(refused);
if ((code !== 0 || refused) && containers.length === 0) {
  if (!refused) sayWhy(compose, globals);
  say('orrery: up failed; removing what it had started');
  quiet(...compose, ...globals, 'down');
}
process.exit(code || (refused ? 1 : 0));
