import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import protobufjs from 'protobufjs';
import { useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
const V3_ASKED = 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf';
const V3_SENT = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';

function decodeV3(bytes: Buffer): Json {
  const file = new URL('../src/gen/openapi-v3-gnostic.json', import.meta.url);
  const root = protobufjs.Root.fromJSON(JSON.parse(readFileSync(file, 'utf8')) as never);
  const type = root.lookupType('openapi.v3.Document');
  return type.toObject(type.decode(bytes)) as Json;
}

interface Named {
  readonly name: string;
  readonly value: Json;
}

describe('the wire', () => {
  const etcd = useEtcd();
  let server: Replica;
  beforeAll(async () => {
    server = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
  }, 30_000);
  afterAll(() => server.close());

  it('OpenAPI v3 comes as protobuf too, under the hash of its JSON', async () => {
    const { json } = await server.ask('/openapi/v3');
    const paths = json['paths'] as Record<string, { serverRelativeURL: string }>;
    const url = paths['apis/apps/v1']?.serverRelativeURL ?? '';
    const asJson = await server.ask(url);
    const answer = await server.ask(url, { headers: { accept: V3_ASKED } });
    expect(answer.headers['content-type']).toBe(V3_SENT);
    expect(answer.headers.etag).toBe(asJson.headers.etag);
    const { etag } = answer.headers;
    const again = await server.ask(url, {
      headers: { accept: V3_ASKED, 'if-none-match': etag ?? '' },
    });
    expect(again.status).toBe(304);
    const document = decodeV3(answer.bytes);
    expect(document).toMatchObject({ openapi: '3.0.0', info: { title: 'Kubernetes' } });
    const names = (list: unknown): string[] => (list as Named[]).map(({ name }) => name);
    const { schemas } = document['components'] as { schemas: { additional_properties: Named[] } };
    const wanted = asJson.json['components'] as { schemas: object };
    expect(names(schemas.additional_properties)).toEqual(Object.keys(wanted.schemas));
    expect(names((document['paths'] as { path: Named[] }).path)).toEqual(
      Object.keys(asJson.json['paths'] as object),
    );
    const deployment = schemas.additional_properties.find(({ name }) =>
      name.endsWith('apps.v1.DeploymentSpec'),
    );
    expect(JSON.stringify(deployment)).toContain('minReadySeconds');
  });

  it('answers of more than 128 KiB are compressed for who takes that', async () => {
    const headers = { 'accept-encoding': 'gzip' };
    await server.post(CONFIGMAPS, { metadata: { name: 'small' } });
    const small = await server.ask(`${CONFIGMAPS}/small`, { headers });
    expect(small.headers['content-encoding']).toBeUndefined();
    const data = { a: 'x'.repeat(200_000) };
    await server.post(CONFIGMAPS, { metadata: { name: 'large' }, data });
    const large = await server.ask(`${CONFIGMAPS}/large`, { headers });
    expect(large.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(large.bytes).toString('utf8'))).toMatchObject({ data });
    const plain = await server.ask(`${CONFIGMAPS}/large`);
    expect(plain.headers['content-encoding']).toBeUndefined();
  });

  it('compressed requests are no JSON to this server, as to upstream', async () => {
    const body = gzipSync(JSON.stringify({ metadata: { name: 'zipped' } }));
    const headers = { 'content-encoding': 'gzip' };
    const { json } = await server.ask(CONFIGMAPS, { method: 'POST', body, headers });
    expect(json).toMatchObject({ code: 400, reason: 'BadRequest' });
  });

  it.each([
    {
      name: 'ComponentStatus',
      path: '/api/v1/componentstatuses',
      warning: '299 - "v1 ComponentStatus is deprecated in v1.19+"',
    },
    {
      name: 'Endpoints',
      path: '/api/v1/endpoints',
      warning:
        '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"',
    },
  ])('$name are served with a warning', async ({ path, warning }) => {
    const { status, headers } = await server.ask(path);
    expect(status).toBe(200);
    expect(headers['warning']).toBe(warning);
  });
});
