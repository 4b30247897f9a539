import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testing';
import type { Json, Replica } from './replica.js';
import { metadataOf, namesOf, startReplica } from './replica.js';

const etcd = useEtcd();
let server: Replica;

const PODS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Json = {}): Json => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name, labels: { app: name } },
  data,
});

const revisionOf = (answer: { readonly json: Json }): number =>
  Number(metadataOf(answer)['resourceVersion']);

async function create(name: string, data: Json = {}): Promise<number> {
  const made = await server.post(PODS, configMap(name, data));
  expect(made.status).toBe(201);
  return revisionOf(made);
}

beforeAll(async () => {
  server = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
}, 30_000);

afterAll(async () => {
  await server.close();
});

describe('/at/<moment>/', () => {
  it('reads objects and lists as they were', async () => {
    const first = await create('one', { v: '1' });
    const second = await create('two');
    await server.patch(`${PODS}/one`, 'merge-patch+json', { data: { v: '2' } });
    await server.ask(`${PODS}/two`, { method: 'DELETE' });
    const then = await server.ask(`/at/${first}${PODS}/one`);
    expect(then.json['data']).toEqual({ v: '1' });
    expect(revisionOf(then)).toBe(first);
    const list = await server.ask(`/at/${second}${PODS}?labelSelector=app`);
    expect(namesOf(list)).toEqual(expect.arrayContaining(['one', 'two']));
    expect(revisionOf(list)).toBe(second);
    expect((await server.ask(`/at/${first}${PODS}/two`)).status).toBe(404);
  });

  it('answers discovery and OpenAPI below its own path', async () => {
    const revision = await create('three');
    const { json } = await server.ask(`/at/${revision}/openapi/v3`);
    const paths = json['paths'] as Record<string, { serverRelativeURL: string }>;
    const url = paths['apis/apps/v1']?.serverRelativeURL ?? '';
    expect(url).toMatch(new RegExp(`^/at/${revision}/openapi/v3/apis/apps/v1\\?hash=`));
    expect((await server.ask(url)).status).toBe(200);
    expect((await server.ask(`/at/${revision}/apis`)).json['kind']).toBe('APIGroupList');
    expect((await server.ask(`/at/${revision}/version`)).json['gitVersion']).toBeDefined();
  });

  it('refuses writes and says why', async () => {
    const revision = await create('four');
    const refused = await server.post(`/at/${revision}${PODS}`, configMap('five'));
    expect(refused.status).toBe(405);
    expect(refused.json['reason']).toBe('MethodNotAllowed');
    expect(refused.json['message']).toMatch(/^the past is read-only: .*revision \d+/);
  });

  it('replays what happened since, then goes on', async () => {
    const revision = await create('five');
    await create('six');
    const watch = await server.watch(`/at/${revision}${PODS}?watch=1&resourceVersion=${revision}`);
    await eventually(() => watch.events().length >= 1);
    await create('seven');
    await eventually(() => watch.events().length >= 2);
    expect(watch.types()).toEqual(['ADDED', 'ADDED']);
    watch.response.destroy();
  });

  it.each([
    { name: 'garbage', moment: 'yesterday', status: 400, message: /no moment of the past/ },
    { name: 'the future', moment: '99999999', status: 400, message: /lies in the future/ },
  ])('refuses $name', async ({ moment, status, message }) => {
    const refused = await server.ask(`/at/${moment}/api/v1/pods`);
    expect(refused.status).toBe(status);
    expect(refused.json['message']).toMatch(message);
  });
});
