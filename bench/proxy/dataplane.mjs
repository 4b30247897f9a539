// A dataplane process and its control socket.
import http from 'node:http';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const dist = process.env.ORRERY_DIST ?? join(root, 'dist');

function call(socketPath, method, path, body) {
  return new Promise((resolve, reject) => {
    const req = http.request(
      { socketPath, path, method, headers: body ? { 'content-type': 'application/json' } : {} },
      async (res) => {
        const parts = [];
        for await (const part of res) parts.push(part);
        const text = Buffer.concat(parts).toString();
        if (res.statusCode === 200) resolve(text);
        else reject(new Error(`${method} ${path}: ${res.statusCode} ${text}`));
      },
    );
    req.on('error', reject);
    req.end(body ? JSON.stringify(body) : undefined);
  });
}

/** A dataplane of `workers` processes that may dial 127.208.64.0/18. */
export async function startDataplane(dir, { workers = 1 } = {}) {
  mkdirSync(dir, { recursive: true });
  const socket = join(dir, 'dataplane.sock');
  const child = spawn(
    process.execPath,
    [
      join(dist, 'dataplane.js'),
      `--listen=unix://${socket}`,
      '--cluster-cidr=127.208.64.0/18',
      `--workers=${workers}`,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error('the dataplane has ended');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const toBackend = ({ host, port }) => ({ address: host, port, weight: 1 });
  return {
    child,
    rule: (id, at, pods, policy = 'random') => ({
      id,
      protocol: 'TCP',
      frontends: [{ address: at.host, port: at.port, kind: 'clusterIP' }],
      policy,
      affinityMs: 0,
      backends: pods.map(toBackend),
    }),
    program: (rules) => call(socket, 'PUT', '/nodes/bench/rules', { sources: [], rules }),
    change: (set, remove = []) => call(socket, 'PATCH', '/nodes/bench/rules', { set, remove }),
    connections: async () => JSON.parse(await call(socket, 'GET', '/connections')),
    processes: async () => JSON.parse(await call(socket, 'GET', '/processes')),
  };
}
