// The dataplane's relay beside a direct connection: requests on kept connections, new connections, and bytes.
// Both sides are called in turn in one run; quote the ratios.
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printTable } from './table.mjs';

const VIP = { host: '127.208.128.1', port: 18_080 };
const POD = { host: '127.208.65.1', port: 18_081 };
const ROUNDS = 5;
const BODY = Buffer.alloc(64 * 1024 * 1024, 1);

const dist =
  process.env.ORRERY_DIST ?? join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const dir = mkdtempSync(join(tmpdir(), 'orrery-bench-'));
const socketPath = join(dir, 'dataplane.sock');

const backend = http.createServer((req, res) => res.end(req.url === '/big' ? BODY : 'ok'));
backend.listen(POD.port, POD.host);
await once(backend, 'listening');

const dataplane = spawn(
  process.execPath,
  [join(dist, 'dataplane.js'), `--listen=unix://${socketPath}`, '--cluster-cidr=127.208.64.0/18'],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
while (!existsSync(socketPath)) await new Promise((resolve) => setTimeout(resolve, 20));

async function program() {
  const rule = {
    id: 'bench/web',
    protocol: 'TCP',
    frontends: [{ address: VIP.host, port: VIP.port, kind: 'clusterIP' }],
    policy: 'random',
    affinityMs: 0,
    backends: [{ address: POD.host, port: POD.port, weight: 1 }],
  };
  const req = http.request({
    socketPath,
    path: '/nodes/bench/rules',
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
  });
  req.end(JSON.stringify({ sources: [], rules: [rule] }));
  const [res] = await once(req, 'response');
  res.resume();
  await once(res, 'end');
}

async function requests(target, count, concurrency) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: concurrency });
  let left = count;
  const started = performance.now();
  const worker = async () => {
    while (left-- > 0) {
      const req = http.get({ ...target, agent, path: '/' });
      const [res] = await once(req, 'response');
      res.resume();
      await once(res, 'end');
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  agent.destroy();
  return count / ((performance.now() - started) / 1000);
}

async function connections(target, count, concurrency) {
  let left = count;
  const started = performance.now();
  const worker = async () => {
    while (left-- > 0) {
      const socket = net.connect(target);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      socket.resume();
      await once(socket, 'close');
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return count / ((performance.now() - started) / 1000);
}

async function megabytes(target) {
  const started = performance.now();
  const req = http.get({ ...target, path: '/big', agent: false });
  const [res] = await once(req, 'response');
  let bytes = 0;
  for await (const chunk of res) bytes += chunk.length;
  return bytes / 1e6 / ((performance.now() - started) / 1000);
}

const rows = { direct: [[], [], []], relay: [[], [], []] };
try {
  await program();
  await requests(VIP, 500, 10);
  for (let i = 0; i < ROUNDS; i++)
    for (const [name, target] of [
      ['direct', POD],
      ['relay', VIP],
    ]) {
      rows[name][0].push(await requests(target, 4_000, 32));
      rows[name][1].push(await connections(target, 2_000, 32));
      rows[name][2].push(await megabytes(target));
    }
  const figures = ['requests, kept connections', 'connections', 'bytes, 64 MiB body'];
  const units = ['req/s', 'conn/s', 'MB/s'];
  printTable(
    'Dataplane relay beside direct connections (a Node client and backend share the machine)',
    figures.flatMap((figure, i) =>
      ['direct', 'relay'].map((side) => ({
        name: `${figure}, ${side}`,
        unit: units[i],
        samples: rows[side][i],
      })),
    ),
  );
} finally {
  dataplane.kill('SIGTERM');
  backend.closeAllConnections();
  backend.close();
  rmSync(dir, { recursive: true, force: true });
}
