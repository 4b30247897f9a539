import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, useEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from '../replica.js';
import type { Answer, Ask, Replica } from '../replica.js';
import { RawHttp1 } from './raw-http1.js';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
const AUTH = 'authorization: Bearer root\r\n';
const MIB_3 = 3 * 1024 * 1024;
const YAML = { 'content-type': 'application/yaml' };
const PROTOBUF = { 'content-type': 'application/vnd.kubernetes.protobuf' };

const many = (count: number, item: (i: number) => string, separator = ','): string =>
  Array.from({ length: count }, (_, i) => item(i)).join(separator);

interface Case {
  readonly name: string;
  readonly ask: Ask;
  readonly path?: string;
  readonly want: Readonly<Record<string, unknown>>;
  readonly message: string;
}

const patchOf = (type: string, body: string): Ask => ({
  method: 'PATCH',
  body,
  headers: { 'content-type': `application/${type}` },
});
const posted = (body: string | Buffer, headers: Record<string, string> = {}): Ask => ({
  method: 'POST',
  body,
  headers,
});

const TOO_LARGE = { code: 413, reason: 'RequestEntityTooLarge', status: 'Failure' };
const BAD = { code: 400, reason: 'BadRequest', status: 'Failure' };

const UPGRADE = 'connection: upgrade\r\nupgrade: SPDY/3.1\r\n';

const REFUSED: readonly Case[] = [
  {
    name: 'a body of more than 3 MiB',
    ask: posted(`{"data":{"a":"${'x'.repeat(MIB_3)}"}}`),
    want: TOO_LARGE,
    message: 'Request entity too large: limit is 3145728',
  },
  {
    name: 'JSON with more values than can be worked through at once',
    ask: posted(`{"data":{${many(60_000, (i) => `"k${i}":"v"`)}}}`),
    want: TOO_LARGE,
    message: 'limit is 50000 values',
  },
  {
    name: 'JSON nested 200,000 deep',
    ask: posted(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`),
    want: BAD,
    message: 'exceeded max depth',
  },
  {
    name: 'CVE-2019-11253: a YAML bomb of aliases',
    ask: posted(
      `a: &a [x,x,x,x,x,x,x,x]\n${many(8, (i) => `b${i}: &b${i} [${many(8, () => (i === 0 ? '*a' : `*b${i - 1}`))}]`, '\n')}`,
      YAML,
    ),
    want: BAD,
    message: 'Alias resolution is disabled',
  },
  {
    name: 'CVE-2019-11254: YAML that burns time by its tokens',
    ask: posted('- '.repeat(MIB_3 / 2 - 100), YAML),
    want: TOO_LARGE,
    message: 'values',
  },
  {
    name: 'CVE-2026-53550 and CVE-2026-59869: chains of merge keys',
    ask: posted(
      `a0: &a0 {x: 1}\n${many(2000, (i) => `a${i + 1}: &a${i + 1} {<<: *a${i}}`, '\n')}`,
      YAML,
    ),
    want: BAD,
    message: 'Alias resolution is disabled',
  },
  {
    name: 'CVE-2026-59870: a mapping that is an !!omap',
    ask: posted(`metadata: {name: omap}\ndata: !!omap [${many(500, (i) => `k${i}: v`)}]`, YAML),
    want: BAD,
    message: 'yaml: cannot decode !!omap',
  },
  {
    name: 'YAML nested deeper than the stack by indentation',
    ask: posted(
      many(2000, (i) => `${' '.repeat(i)}a:`, '\n'),
      YAML,
    ),
    want: BAD,
    message: 'yaml',
  },
  {
    name: 'protobuf without its magic',
    ask: posted(Buffer.from('k9s\0nothing'), PROTOBUF),
    want: BAD,
    message: 'provided data does not appear to be a protobuf message',
  },
  {
    name: 'protobuf whose lengths lead beyond its end',
    ask: posted(Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(1000, 0x0a)]), PROTOBUF),
    want: BAD,
    message: 'proto: index out of range',
  },
  {
    name: 'CVE-2019-1002100: a JSON patch of more than 10,000 operations',
    path: `${CONFIGMAPS}/target`,
    ask: patchOf(
      'json-patch+json',
      `[${many(10_001, () => '{"op":"test","path":"/a","value":1}')}]`,
    ),
    want: TOO_LARGE,
    message: 'The allowed maximum operations in a JSON patch is 10000, got 10001',
  },
  {
    name: 'a JSON patch whose copies double what is there each time',
    path: `${CONFIGMAPS}/target`,
    ask: patchOf(
      'json-patch+json',
      `[${many(60, (i) => `{"op":"copy","from":"/data","path":"/data/c${i}"}`)}]`,
    ),
    want: { code: 422, reason: 'Invalid' },
    message: 'the server rejected our request due to an error in our request',
  },
  {
    name: 'a JSON patch that reaches for the prototype',
    path: `${CONFIGMAPS}/target`,
    ask: patchOf('json-patch+json', '[{"op":"add","path":"/__proto__/polluted","value":"yes"}]'),
    want: { code: 422, reason: 'Invalid' },
    message: 'the server rejected our request due to an error in our request',
  },
  {
    name: 'a strategic patch of more values than can be worked through',
    path: `${CONFIGMAPS}/target`,
    ask: patchOf(
      'strategic-merge-patch+json',
      `{"metadata":{"finalizers":[${many(60_000, (i) => `"a.b/${i}"`)}]}}`,
    ),
    want: TOO_LARGE,
    message: 'limit is 50000 values',
  },
];

const POD = { metadata: { name: 'many' } };
const containers = Array.from({ length: 1001 }, (_, i) => ({ name: `c${i}`, image: 'i' }));
const owners = Array.from({ length: 8000 }, (_, i) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  name: 'p',
  uid: String(i),
  controller: true,
}));
const badLabels = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`-l${i}`, '-']));

const TOLD_BRIEFLY: readonly (Case & { readonly causes: number })[] = [
  {
    name: 'more containers than a Pod can have',
    ask: posted(JSON.stringify({ ...POD, spec: { containers } })),
    path: '/api/v1/namespaces/default/pods',
    want: { code: 422, reason: 'Invalid' },
    message: 'spec.containers: Too many: 1001: must have at most 1000 items',
    causes: 1,
  },
  {
    name: 'thousands of owners that are each the controller',
    ask: posted(JSON.stringify({ metadata: { name: 'owned', ownerReferences: owners } })),
    want: { code: 422, reason: 'Invalid' },
    message: 'Only one reference can have Controller set to true',
    causes: 2,
  },
  {
    name: 'thousands of bad labels',
    ask: posted(JSON.stringify({ metadata: { name: 'labelled', labels: badLabels } })),
    want: { code: 422, reason: 'Invalid' },
    message: 'too many errors',
    causes: 1000,
  },
];

describe('bad input', () => {
  const etcd = useEtcd();
  const folder = mkdtempSync(join(tmpdir(), 'attacks-'));
  let server: Replica;
  const ask = (path: string, how: Ask = {}): Promise<Answer> => server.ask(path, how);

  beforeAll(async () => {
    writeFileSync(join(folder, 'tokens.csv'), 'root,root,1,system:masters\nnobody,nobody,2\n');
    server = await startReplica({
      etcd: etcd.endpoints,
      keyspace: etcd.keyspace,
      headers: { authorization: 'Bearer root' },
      flags: [
        '--authorization-mode=RBAC',
        `--token-auth-file=${join(folder, 'tokens.csv')}`,
        '--disable-admission-plugins=ServiceAccount',
        '--enable-faults=true',
      ],
    });
    await server.post(CONFIGMAPS, { metadata: { name: 'target' }, data: { a: 'x'.repeat(1000) } });
  }, 30_000);
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it.each(REFUSED)('is refused: $name', async ({ ask: how, path = CONFIGMAPS, want, message }) => {
    const { status, json } = await ask(path, how);
    expect(json).toMatchObject({ kind: 'Status', ...want });
    expect(status).toBe(want['code']);
    expect(json['message']).toContain(message);
    expect((await ask('/readyz')).text).toBe('ok');
  });

  it.each(TOLD_BRIEFLY)('is told in few words: $name', async (one) => {
    const { json } = await ask(one.path ?? CONFIGMAPS, one.ask);
    expect(json).toMatchObject({ kind: 'Status', ...one.want });
    expect(json['message']).toContain(one.message);
    const { causes } = json['details'] as { causes: unknown[] };
    expect(causes).toHaveLength(one.causes);
  });

  it('refuses label selectors of more terms than each object can be asked about', async () => {
    const selector = encodeURIComponent(many(1001, (i) => `!k${i}`));
    const { status, json } = await ask(`${CONFIGMAPS}?labelSelector=${selector}`);
    expect([status, json['reason']]).toEqual([400, 'BadRequest']);
    expect(json['message']).toContain('too many requirements: the limit is 1000');
  });

  it('CVE-2025-64718: keys named after a prototype are data, or nothing, and change no other object', async () => {
    const data = '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}';
    const kept = '"__proto__":"p","constructor":"c"';
    const body = `{"metadata":{"name":"proto"},"__proto__":{"polluted":"yes"},"data":{${kept}}}`;
    expect((await ask(CONFIGMAPS, posted(body))).text).toContain(kept);
    await ask(`${CONFIGMAPS}/proto`, patchOf('merge-patch+json', '{"data":{"x":"y"}}'));
    expect((await ask(`${CONFIGMAPS}/proto`)).text).toContain(kept);
    for (const type of ['merge-patch+json', 'strategic-merge-patch+json'])
      await ask(`${CONFIGMAPS}/proto`, patchOf(type, `{"metadata":{"annotations":${data}}}`));
    await ask(
      CONFIGMAPS,
      posted(`__proto__: {polluted: yes}\n<<: {polluted: yes}\nmetadata: {name: y}`, YAML),
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect((await ask(`${CONFIGMAPS}/target`)).text).not.toContain('polluted');
  });

  it('a path of replicas that leads to a prototype is data, too', async () => {
    const { assignJsonPath, parseJsonPath } =
      await import('../../src/custom-resources/json-path.js');
    const object = { spec: {} };
    assignJsonPath(parseJsonPath('.spec.__proto__.polluted') ?? [], object, 3);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(JSON.stringify(object)).toBe('{"spec":{"__proto__":{"polluted":3}}}');
  });

  it('CVE-2020-8552: names that a client makes up become no labels of metrics', async () => {
    for (let i = 0; i < 20; i++) {
      await ask(`/apis/made-up-${i}.test/v1/inventions`);
      await ask(`/api/v1/namespaces/default/inventions-${i}`, { method: 'POST' });
      await ask(`/api/v1/pods/invented-${i}/inventions`);
      await ask(`/invented-${i}`);
    }
    const { text } = await ask('/metrics');
    expect(text).toContain('apiserver_request_total');
    expect(text.split('\n').filter((line) => /made-up|invent/.test(line))).toEqual([]);
    expect(text).toContain('resource="configmaps"');
  });

  it.each([
    {
      name: 'both a length and chunks',
      head: 'content-length: 5\r\ntransfer-encoding: chunked\r\n',
    },
    { name: 'two lengths', head: 'content-length: 5\r\ncontent-length: 6\r\n' },
    { name: 'a length that is a list', head: 'content-length: 5, 6\r\n' },
    { name: 'a length with a sign', head: 'content-length: +5\r\n' },
    { name: 'an encoding after chunked', head: 'transfer-encoding: chunked, identity\r\n' },
    { name: 'a space before the colon', head: 'transfer-encoding : chunked\r\n' },
    {
      name: 'a folded header',
      head: 'x: y\r\n transfer-encoding: chunked\r\ncontent-length : 5\r\n',
    },
  ])('CVE-2019-16276: no second request is smuggled behind $name', async ({ head }) => {
    const raw = await RawHttp1.open(server.address);
    raw.write(`POST ${CONFIGMAPS} HTTP/1.1\r\nhost: x\r\n${AUTH}${head}\r\n0\r\n\r\n`);
    raw.write(`GET /version HTTP/1.1\r\nhost: x\r\n${AUTH}\r\n`);
    await raw.closed;
    expect(raw.statuses()).toEqual([400]);
    expect(raw.text).not.toContain('gitVersion');
    expect(raw.text).toMatch(/400 Bad Request$/);
  });

  it('headers of more than 1 MiB are 431, smaller ones are read', async () => {
    const raw = await RawHttp1.open(server.address);
    raw.write(`GET /version HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(900_000)}\r\n\r\n`);
    await eventually(() => {
      expect(raw.statuses()).toEqual([200]);
    });
    raw.write(`GET /version HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(1_100_000)}\r\n\r\n`);
    await raw.closed;
    expect(raw.statuses()).toEqual([200, 431]);
  });

  it('a body that does not come in time is 504, and its connection ends', async () => {
    const raw = await RawHttp1.open(server.address);
    raw.write(
      `POST ${CONFIGMAPS}?timeout=1s HTTP/1.1\r\nhost: x\r\n${AUTH}content-length: 3000\r\n\r\n{`,
    );
    await raw.closed;
    expect(raw.statuses()).toEqual([504]);
    expect(raw.text).toContain('"reason":"Timeout"');
  });

  it('a large body is read of nobody who may not send it', async () => {
    const raw = await RawHttp1.open(server.address);
    const auth = 'authorization: Bearer nobody\r\n';
    raw.write(`POST ${CONFIGMAPS} HTTP/1.1\r\nhost: x\r\n${auth}content-length: 3000000\r\n\r\n`);
    await raw.closed;
    expect(raw.statuses()).toEqual([403]);
  });

  it('a wish for another protocol is passed over where there is none', async () => {
    const raw = await RawHttp1.open(server.address);
    const wish = 'connection: upgrade\r\nupgrade: h2c\r\n';
    raw.write(`GET ${CONFIGMAPS}/target HTTP/1.1\r\nhost: x\r\n${AUTH}${wish}\r\n`);
    raw.write(
      `GET /api/v1/namespaces/default/pods/none/exec HTTP/1.1\r\nhost: x\r\n${AUTH}${wish}\r\n`,
    );
    await raw.closed;
    expect(raw.statuses()).toEqual([200, 404]);
  });

  it.each([
    { name: 'a subresource', path: '/api/v1/namespaces/default/pods/none/exec', code: 404 },
    { name: 'another logical cluster', path: '/at/-1s/api/v1/pods', code: 404 },
    { name: 'an extension server', path: '/apis/none.test/v1/things', code: 404 },
  ])('an upgrade of $name waits for the answers before it', async ({ path, code }) => {
    const match = { verbs: ['get'], resources: ['configmaps'], names: ['target'] };
    const rule = { ...match, delayMs: 500, times: 1 };
    expect((await server.post('/faults', rule)).status).toBe(201);
    const raw = await RawHttp1.open(server.address);
    raw.write(`GET ${CONFIGMAPS}/target HTTP/1.1\r\nhost: x\r\n${AUTH}\r\n`);
    raw.write(
      `GET ${path} HTTP/1.1\r\nhost: x\r\n${AUTH}connection: upgrade\r\nupgrade: SPDY/3.1\r\n\r\n`,
    );
    await raw.closed;
    expect(raw.statuses()).toEqual([200, code]);
  });

  it.each([
    { name: 'its body', more: `${UPGRADE}content-length: 40\r\n`, want: [404] },
    { name: 'its chunks', more: `${UPGRADE}transfer-encoding: chunked\r\n`, want: [404] },
    { name: 'two wishes', more: `${UPGRADE}upgrade: websocket\r\n`, want: [404] },
  ])('an upgrade lets no second request through behind $name', async ({ more, want }) => {
    const path = '/api/v1/namespaces/default/pods/none/exec?command=x';
    const raw = await RawHttp1.open(server.address);
    raw.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n${AUTH}${more}\r\n`);
    raw.write(`GET /version HTTP/1.1\r\nhost: x\r\n${AUTH}connection: close\r\n\r\n`);
    await raw.closed;
    expect(raw.statuses()).toEqual(want);
  });

  it('many slow clients hinder nobody', async () => {
    const slow = await Promise.all(Array.from({ length: 50 }, () => RawHttp1.open(server.address)));
    for (const raw of slow) raw.write('GET / HTTP/1.1\r\nx: ');
    expect(metadataOf(await ask(`${CONFIGMAPS}/target`))['name']).toBe('target');
    for (const raw of slow) raw.close();
  });

  it('tells of unknown fields in no more than 4 kB of warnings', async () => {
    const body = `{"metadata":{"name":"warned"},${many(3000, (i) => `"u${i}":1`)}}`;
    const { status, headers } = await ask(CONFIGMAPS, posted(body));
    expect(status).toBe(201);
    expect(String(headers['warning']).length).toBeLessThan(10_000);
    expect(headers['warning']).toContain('299 - "unknown field \\"u0\\""');
  });
});
