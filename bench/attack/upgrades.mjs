// Attacks by upgrades: streams over SPDY, which the API server passes on without looking into them, clients that end their half or do
// not read, heads without end, and requests smuggled in before, in and behind an upgrade. Each says itself whether it was withstood.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { taken } from './wire.mjs';

/** Nodes are dialled where the cluster lives, which is the server's own /16 in loopback mode. */
const KUBELET = '127.232.0.6';
const PODS = '/api/v1/namespaces/default/pods';
const MEGABYTE = 2 ** 20;
const CLIENTS = 200;

const times = (count, item) => Array.from({ length: count }, (_, i) => item(i));

async function writeMany(stream, bytes, writes) {
  for (let i = 0; i < writes; i++) if (stream.destroyed || !(await taken(stream, bytes))) return i;
  return writes;
}

/** A control frame of SPDY 3.1. */
function control(type, flags, payload, { length = payload.length } = {}) {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE((flags << 24) | length, 4);
  return Buffer.concat([head, payload]);
}

/** A frame that opens a stream, whose headers are no zlib. */
function synStream(id) {
  const payload = Buffer.alloc(14);
  payload.writeUInt32BE(id, 0);
  return control(1, 0, payload);
}

const [SYN_STREAM, SETTINGS, PING] = [1, 4, 6];
const SPDY_FRAMES = {
  '20,000 streams': Buffer.concat(times(20_000, (i) => synStream(2 * i + 1))),
  'a million pings': Buffer.concat(times(10_000, () => control(PING, 0, Buffer.alloc(4)))),
  'settings of 16 MiB': control(SETTINGS, 0, Buffer.alloc(0), { length: 0xffffff }),
  'headers without end': control(SYN_STREAM, 0, Buffer.alloc(10), { length: 0xffffff }),
  noise: randomBytes(MEGABYTE),
};

/** Upgraded connections of the API server that the kubelet has open, and what it could send on the last one. */
const open = new Set();
let sent = 0;

const switching = (protocol) =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\n\r\n`;

/** What the kubelet does once it has switched, by the command that is to be run. */
const BEHAVIOUR = {
  swallow: (socket) => socket.resume(),
  echo: (socket) => socket.pipe(socket),
  pour: async (socket) => {
    sent = 0;
    const piece = Buffer.alloc(MEGABYTE);
    while (sent < 256 && !socket.destroyed && (await taken(socket, piece))) sent += 1;
  },
};

function startKubelet(certificate) {
  const server = https.createServer(certificate);
  server.on('upgrade', (request, socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => undefined);
    socket.write(switching(request.headers.upgrade));
    void BEHAVIOUR[new URL(request.url, 'https://x').searchParams.get('command')](socket);
  });
  return new Promise((resolve) => server.listen(10_250, KUBELET, resolve));
}

/** A node and a pod on it, whose kubelet is ours. */
export async function prepareUpgrades(ask, { folder }) {
  await startKubelet({
    key: readFileSync(join(folder, 'hook.key')),
    cert: readFileSync(join(folder, 'hook.crt')),
  });
  const post = (path, object) => ask('POST', path, { body: JSON.stringify(object) });
  const addresses = [{ type: 'InternalIP', address: KUBELET }];
  const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } } };
  await post('/api/v1/nodes', { metadata: { name: 'spdy' }, status });
  const spec = { nodeName: 'spdy', containers: [{ name: 'c', image: 'i' }] };
  await post(PODS, { metadata: { name: 'spdy' }, spec });
}

/** Waits until it holds; false when it never does. */
async function comesTrue(isSo) {
  for (let i = 0; i < 100; i++) {
    if (isSo()) return true;
    await sleep(50);
  }
  return false;
}

/** The attacks by name. */
export function upgradeAttacks(ask, { host, token }) {
  const head = (path, { method = 'POST', upgrade = 'SPDY/3.1', more = '' } = {}) =>
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n${more}\r\n`;
  const exec = (command) => `${PODS}/spdy/exec?command=${command}&stdin=true`;

  /** A connection and all that was read of it. */
  const connect = (bytes, { isAnswered = true } = {}) =>
    new Promise((resolve) => {
      const options = { host, port: 6443, rejectUnauthorized: false, allowHalfOpen: true };
      const socket = tls.connect(options, () => {
        socket.write(bytes);
        if (!isAnswered) resolve(connection);
      });
      const connection = { socket, text: '', isOver: false };
      socket.on('data', (chunk) => {
        if (connection.text.length < MEGABYTE) connection.text += chunk.toString('latin1');
        resolve(connection);
      });
      socket.on('error', () => undefined);
      socket.on('end', () => (connection.isOver = true));
      socket.on('close', () => {
        connection.isOver = true;
        resolve(connection);
      });
    });
  const statusOf = ({ text }) => Number(text.slice(9, 12)) || 0;
  const told = (connection, isRight, message) => ({
    status: statusOf(connection),
    message,
    isWrong: !isRight,
  });

  const spdy = (bytes) => async () => {
    const connection = await connect(head(exec('swallow')));
    const writes = await writeMany(connection.socket, bytes, 100);
    connection.socket.destroy();
    const isFreed = await comesTrue(() => open.size === 0);
    const isRight = statusOf(connection) === 101 && isFreed;
    return told(connection, isRight, `${writes} writes taken, ${open.size} left at the kubelet`);
  };
  const many = (leave) => async () => {
    const all = await Promise.all(times(CLIENTS, () => connect(head(exec('swallow')))));
    const most = open.size;
    for (const { socket } of all) leave(socket);
    const isFreed = await comesTrue(() => open.size === 0);
    for (const { socket } of all) socket.destroy();
    const isRight = most === CLIENTS && isFreed;
    return told(all[0], isRight, `${most} open, ${open.size} left at the kubelet`);
  };
  /** All answers on one connection, which has to end; so many and of these codes are right. */
  const raw =
    (bytes, ...wanted) =>
    async () => {
      const connection = await connect(bytes);
      await comesTrue(() => connection.isOver);
      await sleep(100);
      connection.socket.destroy();
      const codes = [...connection.text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => code);
      const isRight = wanted.some((one) => one === codes.join());
      return told(connection, isRight, `answers ${codes.join() || 'nothing'}`);
    };
  const second = `GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
  const get = `GET /readyz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`;
  return {
    ...Object.fromEntries(
      Object.entries(SPDY_FRAMES).map(([name, bytes]) => [
        `an exec over SPDY whose client sends ${name}`,
        spdy(bytes),
      ]),
    ),
    'an exec over SPDY that nobody reads': async () => {
      const connection = await connect(head(exec('pour')));
      connection.socket.pause();
      await sleep(3000);
      const took = sent;
      connection.socket.destroy();
      const isFreed = await comesTrue(() => open.size === 0);
      return told(connection, took < 32 && isFreed, `${took} MiB of 256 taken from the kubelet`);
    },
    '200 execs over SPDY whose clients go': many((socket) => socket.destroy()),
    '200 execs over SPDY whose clients end their half': many((socket) => socket.end()),
    'an upgrade whose head does not end': async () => {
      const connection = await connect(head(exec('swallow')).slice(0, -2), {
        isAnswered: false,
      });
      const writes = await writeMany(connection.socket, 'x: y\r\n'.repeat(10_000), 100);
      const isOver = await comesTrue(() => connection.isOver);
      return told(connection, isOver && statusOf(connection) !== 101, `${writes} writes taken`);
    },
    'a request behind an upgrade that is refused': raw(
      `${head(`${PODS}/none/exec?command=a`)}${second}`,
      '404',
    ),
    'a request in the body of an upgrade': raw(
      `${head(`${PODS}/none/exec?command=a`, { more: `Content-Length: ${second.length}\r\n` })}${second}`,
      '404',
      '400',
    ),
    'an upgrade with a length and chunks': raw(
      `${head(`${PODS}/none/exec?command=a`, { more: 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n' })}0\r\n\r\n${second}`,
      '400',
    ),
    'an upgrade with two lengths': raw(
      `${head(`${PODS}/none/exec?command=a`, { more: 'Content-Length: 5\r\nContent-Length: 6\r\n' })}${second}`,
      '400',
    ),
    'an upgrade to HTTP/2 in clear text (h2c)': raw(
      `${get}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
      '200',
      '200,400',
    ),
    'an upgrade to TLS within TLS': raw(
      `${get}Connection: Upgrade, close\r\nUpgrade: TLS/1.2\r\n\r\n`,
      '200',
    ),
    // Upstream answers as if nobody had asked to upgrade.
    'an upgrade of what is no stream': raw(
      `${get.replace('/readyz', PODS)}Connection: Upgrade, close\r\nUpgrade: websocket, h2c\r\n\r\n`,
      '200',
    ),
    'an upgrade to a protocol whose name ends the line': raw(
      head(exec('swallow'), { upgrade: 'SPDY/3.1\rX-Remote-User: root' }),
      '400',
    ),
  };
}
