// The relays that are compared, each a process of its own on an address of its own, and the backend behind all of them.
import { once } from 'node:events';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDataplane } from './dataplane.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const POD = { host: '127.208.65.1', port: 18_081 };
const BIG = 64 * 1024 * 1024;

/** The first of these programs that can be run; undefined when there is none. */
function find(...candidates) {
  return candidates.find(
    (path) =>
      path && (path.includes('/') ? existsSync(path) : spawnSync('which', [path]).status === 0),
  );
}

/** NGINX_ROOT: a folder into which Debian's nginx packages were unpacked, where they are not installed. */
const nginxRoot = process.env.NGINX_ROOT ?? '';
const programs = {
  haproxy: find(process.env.HAPROXY, 'haproxy', '/usr/sbin/haproxy'),
  nginx: find(nginxRoot && join(nginxRoot, 'usr/sbin/nginx'), 'nginx', '/usr/sbin/nginx'),
  cc: find(process.env.CC, 'gcc', 'cc'),
  go: find(process.env.GO, 'go', '/usr/local/go/bin/go', '/usr/lib/go-1.19/bin/go'),
};
const streamModule = join(nginxRoot || '/', 'usr/lib/nginx/modules/ngx_stream_module.so');

const children = [];

/** Starts a program that listens on host:port and waits until it does. */
async function start(name, command, args, { host, port }) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  for (let i = 0; ; i++) {
    if (child.exitCode !== null || i > 200)
      throw new Error(`${name} does not listen on ${host}:${port}`);
    const socket = net.connect(port, host);
    const is = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (is) return child;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function nginxConf(dir, name, body, modules = '') {
  const file = join(dir, `${name}.conf`);
  writeFileSync(
    file,
    `${modules}${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;\npid ${dir}/${name}.pid;\nerror_log ${dir}/${name}.log crit;\nevents { worker_connections 16384; }\n${body}\n`,
  );
  return ['-p', dir, '-e', `${dir}/${name}.log`, '-c', file];
}

const temp = (dir) =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((one) => `${one}_temp_path ${dir}/${one};`)
    .join(' ');

/** An HTTP server that answers / with two bytes and /big with 64 MiB. */
async function startBackend(dir) {
  writeFileSync(join(dir, 'big'), Buffer.alloc(BIG, 1));
  if (!programs.nginx)
    throw new Error(
      'bench proxy needs nginx as its backend (apt install nginx-light, or NGINX_ROOT)',
    );
  const body = `worker_processes 1;\nhttp { access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000; ${temp(dir)}
    server { listen ${POD.host}:${POD.port} backlog=4096; root ${dir}; location = / { return 200 "ok"; } } }`;
  await start('nginx (backend)', programs.nginx, nginxConf(dir, 'backend', body), POD);
}

async function haproxy(dir) {
  if (!programs.haproxy) return 'haproxy is not installed';
  const at = { host: '127.208.128.10', port: 18_080 };
  const file = join(dir, 'haproxy.cfg');
  writeFileSync(
    file,
    `global\n  maxconn 8192\n  nbthread 1\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\nlisten web\n  bind ${at.host}:${at.port}\n  server pod ${POD.host}:${POD.port}\n`,
  );
  await start('haproxy', programs.haproxy, ['-f', file, '-db', '-q'], at);
  return at;
}

async function nginx(dir) {
  if (!programs.nginx) return 'nginx is not installed';
  if (!existsSync(streamModule)) return 'libnginx-mod-stream is not installed';
  const at = { host: '127.208.128.11', port: 18_080 };
  const body = `worker_processes 1;\nstream { server { listen ${at.host}:${at.port} backlog=4096; proxy_pass ${POD.host}:${POD.port}; } }`;
  await start(
    'nginx stream',
    programs.nginx,
    nginxConf(dir, 'stream', body, `load_module ${streamModule};\n`),
    at,
  );
  return at;
}

async function go(dir) {
  if (!programs.go) return 'go is not installed';
  const at = { host: '127.208.128.12', port: 18_080 };
  const binary = join(dir, 'go-relay');
  mkdirSync(join(dir, 'go-cache'), { recursive: true });
  const built = spawnSync(programs.go, ['build', '-o', binary, join(here, 'go-relay/main.go')], {
    env: { ...process.env, GOCACHE: join(dir, 'go-cache'), GO111MODULE: 'off' },
    encoding: 'utf8',
  });
  if (built.status !== 0) return `go build failed: ${built.stderr.trim()}`;
  await start('go relay', binary, [`${at.host}:${at.port}`, `${POD.host}:${POD.port}`], at);
  return at;
}

/** What a relay in C would reach behind the same interface: epoll and splice, no rules. */
const native = (index, processes) => async (dir) => {
  if (!programs.cc) return 'no C compiler is installed';
  const at = { host: `127.208.128.${15 + index}`, port: 18_080 };
  const binary = join(dir, `native-relay-${processes}`);
  const source = join(here, 'native-relay/main.c');
  const built = spawnSync(programs.cc, ['-O2', '-o', binary, source], { encoding: 'utf8' });
  if (built.status !== 0) return `${programs.cc} failed: ${built.stderr.trim()}`;
  const words = [at.host, at.port, POD.host, POD.port, processes].map(String);
  await start(`native relay, ${processes}`, binary, words, at);
  return at;
};

const ours = (index, name, options) => async (dir) => {
  const at = { host: `127.208.128.${20 + index}`, port: 18_080 };
  const dataplane = await startDataplane(join(dir, name.replaceAll(/\W+/g, '-')), options);
  children.push(dataplane.child);
  await dataplane.program([dataplane.rule('bench/web', at, [POD], options.policy ?? 'random')]);
  return at;
};

/** Name -> how it is started; answers where it listens, or in words why it cannot be compared. */
const SIDES = {
  direct: async () => POD,
  haproxy,
  'nginx stream': nginx,
  'go relay': go,
  'native relay, 1 process': native(0, 1),
  'native relay, 2 processes': native(1, 2),
  'dataplane, 1 process': ours(0, 'one', { workers: 1 }),
  'dataplane, 2 processes': ours(1, 'two', { workers: 2 }),
};

/** Starts the backend and every side that this machine has. */
export async function startSides(dir) {
  const names = process.env.SIDES?.split(';') ?? Object.keys(SIDES);
  await startBackend(dir);
  const sides = {};
  for (const name of names) {
    const first = children.length;
    const at = await SIDES[name](dir);
    if (typeof at === 'string') process.stdout.write(`${name}: left out, ${at}\n`);
    else sides[name] = { ...at, pids: children.slice(first).map(({ pid }) => pid) };
  }
  return sides;
}

/** CPU time that a side's processes and their children have used so far, in seconds: it counts on a busy machine too. */
export function cpuSeconds({ pids }) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const stats = all.flatMap((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(pid), parent: Number(fields[1]), ticks: +fields[11] + +fields[12] }];
    } catch {
      return [];
    }
  });
  const mine = stats.filter(({ pid, parent }) => pids.includes(pid) || pids.includes(parent));
  return mine.reduce((sum, { ticks }) => sum + ticks, 0) / 100;
}

export async function stopSides() {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }),
  );
}
