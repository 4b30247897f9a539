import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { createCa, issueCertificate } from '@orrery/pki';
import { SystemClock } from '@orrery/component';
import { eventually, useEtcd } from '@orrery/testkit';
import { hostPort } from './attack/raw-http1.js';
import { FRAME, RawHttp2, frame, getFrame } from './attack/raw-http2.js';
import { startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
const ROOT = { authorization: 'Bearer root' };
const ENHANCE_YOUR_CALM = 0xb;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly json: Json;
  readonly size: number;
}

class Client {
  constructor(readonly session: ClientHttp2Session) {
    session.on('error', () => undefined);
  }

  open(method: string, path: string, headers: OutgoingHttpHeaders = ROOT): ClientHttp2Stream {
    return this.session.request(
      { ':method': method, ':path': path, ...headers },
      { endStream: false },
    );
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers?: OutgoingHttpHeaders,
  ): Promise<Answer> {
    const stream = this.open(method, path, {
      'content-type': 'application/json',
      ...(headers ?? ROOT),
    });
    stream.end(body === undefined ? undefined : JSON.stringify(body));
    const [answered] = (await once(stream, 'response')) as [Record<string, unknown>];
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const json = text.startsWith('{') ? (JSON.parse(text) as Json) : {};
    return { status: Number(answered[':status']), headers: answered, json, size: text.length };
  }
}

describe('HTTP/2', () => {
  const etcd = useEtcd();
  const folder = mkdtempSync(join(tmpdir(), 'http2-'));
  let server: Replica;
  let client: Client;
  let certificate: { cert: string; key: string };

  beforeAll(async () => {
    const now = new SystemClock().now();
    const ca = await createCa('clients', now);
    const issued = await issueCertificate(ca, {
      commonName: 'jane',
      organizations: ['system:masters'],
      usages: ['clientAuth'],
      now,
    });
    certificate = { cert: issued.certPem, key: issued.keyPem };
    writeFileSync(join(folder, 'ca.crt'), ca.certPem);
    writeFileSync(join(folder, 'tokens.csv'), 'root,root,1,system:masters\n');
    server = await startReplica({
      etcd: etcd.endpoints,
      keyspace: etcd.keyspace,
      headers: ROOT,
      flags: [
        '--authorization-mode=RBAC',
        '--http2-max-streams-per-connection=20',
        `--client-ca-file=${join(folder, 'ca.crt')}`,
        `--token-auth-file=${join(folder, 'tokens.csv')}`,
        '--disable-admission-plugins=ServiceAccount',
      ],
    });
    client = new Client(connect(server.address, { rejectUnauthorized: false }));
  }, 30_000);
  afterAll(async () => {
    client.session.destroy();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('is chosen by who offers it, and HTTP/1.1 by the others', async () => {
    await once(client.session, 'connect');
    expect(client.session.alpnProtocol).toBe('h2');
    expect((await server.ask('/version')).status).toBe(200);
    const old = connectTls({
      ...hostPort(server.address),
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
    });
    await once(old, 'secureConnect');
    expect(old.alpnProtocol).toBe('http/1.1');
    old.destroy();
  });

  it('serves every verb, with headers and Status as over HTTP/1.1', async () => {
    const map = { metadata: { name: 'one' }, data: { a: '1' } };
    expect((await client.ask('POST', CONFIGMAPS, map)).status).toBe(201);
    const again = await client.ask('POST', CONFIGMAPS, map);
    expect(again).toMatchObject({ status: 409, json: { reason: 'AlreadyExists' } });
    const got = await client.ask('GET', `${CONFIGMAPS}/one`);
    expect(got).toMatchObject({ status: 200, json: { data: { a: '1' } } });
    expect(got.headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
    const overOne = await server.ask(`${CONFIGMAPS}/one`);
    expect(got.json).toEqual(overOne.json);
    const patched = await client.ask(
      'PATCH',
      `${CONFIGMAPS}/one`,
      { data: { b: '2' } },
      {
        ...ROOT,
        'content-type': 'application/merge-patch+json',
      },
    );
    expect(patched).toMatchObject({ status: 200, json: { data: { a: '1', b: '2' } } });
    expect((await client.ask('DELETE', `${CONFIGMAPS}/one`)).status).toBe(200);
    expect((await client.ask('GET', `${CONFIGMAPS}/one`)).json).toMatchObject({ code: 404 });
    expect((await client.ask('GET', '/nowhere')).status).toBe(404);
  });

  it('knows the client by its certificate', async () => {
    const own = new Client(connect(server.address, { ...certificate, rejectUnauthorized: false }));
    const review = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    for (const _time of [1, 2]) {
      const { json } = await own.ask('POST', path, review, {});
      expect(json['status']).toMatchObject({ userInfo: { username: 'jane' } });
    }
    own.session.destroy();
  });

  it('streams watches and large lists beside each other on one connection', async () => {
    const large = 'x'.repeat(300_000);
    for (let i = 0; i < 8; i++)
      await client.ask('POST', CONFIGMAPS, { metadata: { name: `l-${i}` }, data: { large } });
    const watch = client.open('GET', `${CONFIGMAPS}?watch=1`);
    let events = '';
    watch.on('data', (chunk: Buffer) => {
      events += chunk.toString('utf8');
    });
    const [head] = (await once(watch, 'response')) as [Record<string, unknown>];
    expect(head[':status']).toBe(200);
    const lists = await Promise.all(
      Array.from({ length: 10 }, () => client.ask('GET', CONFIGMAPS)),
    );
    for (const { size } of lists) expect(size).toBeGreaterThan(8 * 300_000);
    await client.ask('POST', CONFIGMAPS, { metadata: { name: 'seen' } });
    await eventually(() => {
      expect(events).toContain('"name":"seen"');
    });
    watch.close();
  });

  it('opens no more streams than it was told', async () => {
    const own = connect(server.address, { rejectUnauthorized: false });
    await once(own, 'remoteSettings');
    expect(own.remoteSettings.maxConcurrentStreams).toBe(20);
    own.destroy();
  });

  it('CVE-2023-44487: ends the connection of who opens streams to reset them', async () => {
    const raw = await RawHttp2.open(server.address);
    const cancel = Buffer.from([0, 0, 0, 8]);
    for (let i = 0; i < 2000 && raw.isOpen; i++) {
      const stream = 2 * i + 1;
      raw.write(getFrame(stream, CONFIGMAPS));
      raw.write(frame(FRAME.reset, 0, stream, cancel));
    }
    await eventually(() => {
      expect(raw.isOpen).toBe(false);
    });
    expect(raw.goAway()).toBeDefined();
    expect((await client.ask('GET', '/version')).status).toBe(200);
  });

  it('CVE-2019-9514: ends the connection of who has it reset stream after stream', async () => {
    const raw = await RawHttp2.open(server.address);
    // Names of headers are in small letters: each such stream is reset by the server.
    raw.write(getFrame(1, CONFIGMAPS, ['X', 'y']));
    await eventually(() => {
      expect(raw.frames().filter(({ type }) => type === FRAME.reset)).toHaveLength(1);
    });
    for (let i = 1; i < 2000 && raw.isOpen; i++)
      raw.write(getFrame(2 * i + 1, CONFIGMAPS, ['X', 'y']));
    await eventually(() => {
      expect(raw.isOpen).toBe(false);
    });
    expect(raw.frames().filter(({ type }) => type === FRAME.reset).length).toBeLessThan(300);
    expect((await client.ask('GET', '/version')).status).toBe(200);
  });

  it.each([
    { name: 'CVE-2019-9512: pings', type: FRAME.ping, payload: Buffer.alloc(8) },
    {
      name: 'CVE-2019-9515: settings',
      type: FRAME.settings,
      payload: Buffer.alloc(0),
    },
  ])('$name beyond measure end the connection', async ({ type, payload }) => {
    const raw = await RawHttp2.open(server.address);
    for (let i = 0; i < 50; i++) raw.write(frame(type, 0, 0, payload));
    await eventually(() => {
      expect(raw.frames().length).toBeGreaterThan(40);
    });
    expect(raw.goAway()).toBeUndefined();
    for (let i = 0; i < 500; i++) raw.write(frame(type, 0, 0, payload));
    await eventually(() => {
      expect(raw.isOpen).toBe(false);
    });
    expect(raw.goAway()).toBe(ENHANCE_YOUR_CALM);
    expect((await client.ask('GET', '/version')).status).toBe(200);
  });

  it('ends when the server stops: watches end, the connection closes', async () => {
    const other = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
    const own = new Client(connect(other.address, { rejectUnauthorized: false }));
    const watch = own.open('GET', '/api/v1/namespaces?watch=1', {});
    watch.resume();
    await once(watch, 'response');
    const ended = once(watch, 'end');
    const closed = once(own.session, 'close');
    await other.close();
    await Promise.all([ended, closed]);
    expect(own.session.destroyed).toBe(true);
  });
});
