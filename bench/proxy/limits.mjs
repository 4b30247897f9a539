// Connections held, memory of an idle one, time to program many services, time until a changed endpoint is used.
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { startDataplane } from './dataplane.mjs';

const HELD = 4_000;
const SERVICES = 1_000;
const ENDPOINTS = 10;
const ROUNDS = 5;
const VIP = { host: '127.208.129.1', port: 18_080 };

const kilobytes = (pid) =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

async function greeter(host, text) {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(text);
  });
  server.listen(18_085, host, 4096);
  await once(server, 'listening');
  return { host, port: 18_085, text, close: () => server.close() };
}

async function greeting(at) {
  const socket = net.connect(at.port, at.host);
  const [data] = await once(socket, 'data');
  return { socket, text: String(data) };
}

/**
 * Memory of idle connections: what the process grows by when HELD of them are opened. Answers how to close them: that is
 * work for this process, the dataplane and the backend here for a second, in which nothing else can be measured.
 */
async function memory(dataplane, pod) {
  await dataplane.program([dataplane.rule('bench/idle', VIP, [pod])]);
  const sockets = [];
  const open = async (count) => {
    for (let i = 0; i < count; i += 100)
      sockets.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(100, count - i) }, () => greeting(VIP)),
        )),
      );
  };
  await open(500);
  const before = kilobytes(dataplane.child.pid);
  await open(HELD - 500);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const each = (kilobytes(dataplane.child.pid) - before) / (HELD - 500);
  const held = (await dataplane.connections()).length;
  const close = async () => {
    for (const { socket } of sockets) socket.destroy();
    while ((await dataplane.connections()).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  return { each, held, close };
}

function services(dataplane, round) {
  return Array.from({ length: SERVICES }, (_, i) =>
    dataplane.rule(
      `bench/service-${i}`,
      { host: `127.208.${130 + (i >> 8)}.${i & 255}`, port: 18_080 },
      Array.from({ length: ENDPOINTS }, (__, j) => ({
        host: `127.208.${70 + round}.${j + 1}`,
        port: 8_080,
      })),
    ),
  );
}

/** Time from asking for another backend until a new connection reaches it. */
async function change(dataplane, pod) {
  const started = performance.now();
  const programmed = dataplane.change([dataplane.rule('bench/idle', VIP, [pod])]);
  for (;;) {
    const { socket, text } = await greeting(VIP);
    socket.destroy();
    if (text === pod.text) break;
  }
  const took = performance.now() - started;
  await programmed;
  return took;
}

async function changes(dataplane, one, two) {
  const samples = [];
  for (let i = 0; i < 2 * ROUNDS; i++) samples.push(await change(dataplane, i % 2 ? one : two));
  return samples;
}

export async function measureLimits(dir) {
  const one = await greeter('127.208.66.1', 'one');
  const two = await greeter('127.208.66.2', 'two');
  const rows = { held: [], each: [], whole: [], again: [], change: [], closing: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const dataplane = await startDataplane(join(dir, `limits-${round}`));
    try {
      const { each, held, close } = await memory(dataplane, one);
      rows.each.push(each);
      rows.held.push(held);
      const closed = close();
      rows.closing.push(await change(dataplane, two));
      await closed;
      rows.change.push(...(await changes(dataplane, two, one)));
      const idle = dataplane.rule('bench/idle', VIP, [one]);
      for (const figure of ['whole', 'again']) {
        const started = performance.now();
        await dataplane.program([idle, ...services(dataplane, figure === 'whole' ? 0 : 1)]);
        rows[figure].push(performance.now() - started);
      }
    } finally {
      dataplane.child.kill('SIGTERM');
      await once(dataplane.child, 'exit');
    }
  }
  one.close();
  two.close();
  return [
    { name: 'TCP connections held at once', unit: '', samples: rows.held },
    { name: 'resident memory of an idle connection', unit: 'kB', samples: rows.each },
    {
      name: `${SERVICES} services x ${ENDPOINTS} endpoints, at once`,
      unit: 'ms',
      samples: rows.whole,
    },
    { name: 'the same, every endpoint changed', unit: 'ms', samples: rows.again },
    { name: 'one endpoint changed, until it is used', unit: 'ms', samples: rows.change },
    { name: `… while ${HELD} connections close here`, unit: 'ms', samples: rows.closing },
  ];
}
