import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
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

const newest = async (): Promise<number> =>
  revisionOf(await server.ask('/api/v1/namespaces?limit=1'));
/** The path of the present moment. */
const now = async (): Promise<string> => `/at/${await newest()}`;

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WIDGETS = {
  kind: 'CustomResourceDefinition',
  apiVersion: 'apiextensions.k8s.io/v1',
  metadata: { name: 'widgets.past.example' },
  spec: {
    group: 'past.example',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};

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
    const core = (await server.ask(`/at/${revision}/api/v1`)).json['resources'] as Json[];
    const verbs = Object.fromEntries(core.map((one) => [one['name'], one['verbs']]));
    expect(verbs).toMatchObject({
      pods: ['get', 'list', 'watch'],
      'pods/status': ['get'],
    });
    expect(Object.keys(verbs)).not.toEqual(expect.arrayContaining(['pods/exec']));
    expect(Object.keys(verbs)).not.toEqual(expect.arrayContaining(['bindings']));
    const live = (await server.ask('/api/v1')).text;
    expect(live).toContain('pods/exec');
    expect((await server.ask(`/at/${revision}/version`)).json['gitVersion']).toBeDefined();
  });

  it('refuses writes and says why', async () => {
    const revision = await create('four');
    const refused = await server.post(`/at/${revision}${PODS}`, configMap('five'));
    expect(refused.status).toBe(405);
    expect(refused.json['reason']).toBe('MethodNotAllowed');
    expect(refused.json['message']).toMatch(/^the past is read-only: .*revision \d+/);
  });

  it.each([
    { path: `${PODS}/four`, method: 'DELETE' },
    { path: '/api/v1/namespaces/default/pods/x/exec?command=ls', method: 'POST' },
    { path: '/api/v1/namespaces/default/pods/x/log', method: 'GET' },
    { path: `${PODS}?dryRun=All`, method: 'POST' },
  ])('refuses $method of $path', async ({ path, method }) => {
    const refused = await server.ask(`${await now()}${path}`, { method });
    expect(refused.status).toBe(405);
  });

  it('refuses an upgrade', async () => {
    const path = `${await now()}/api/v1/namespaces/default/pods/x/exec?command=ls`;
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' };
    const refused = await server.ask(path, { method: 'POST', headers });
    expect(refused.status).toBe(405);
    expect(refused.json['message']).toMatch(/the history holds objects, no processes/);
  });

  it('answers reviews, which write nothing', async () => {
    const review = await server.post(
      `${await now()}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`,
      {
        kind: 'SelfSubjectAccessReview',
        apiVersion: 'authorization.k8s.io/v1',
        spec: { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } },
      },
    );
    expect(review.status).toBe(201);
    expect(review.json['status']).toMatchObject({ allowed: true });
  });

  it('serves custom resources as they were defined then', async () => {
    const before = await now();
    const crd = await server.post(CRDS, WIDGETS);
    expect(crd.status).toBe(201);
    const path = '/apis/past.example/v1/namespaces/default/widgets';
    await eventually(async () => (await server.ask(path)).status === 200);
    const made = await server.post(path, {
      kind: 'Widget',
      apiVersion: 'past.example/v1',
      metadata: { name: 'w' },
    });
    expect(made.status).toBe(201);
    const then = `/at/${revisionOf(made)}`;
    await server.ask(`${CRDS}/widgets.past.example`, { method: 'DELETE' });
    await eventually(async () => (await server.ask(path)).status === 404);
    expect(namesOf(await server.ask(`${then}${path}`))).toEqual(['w']);
    expect((await server.ask(`${before}${path}`)).status).toBe(404);
    const groups = (await server.ask(`${then}/apis`)).text;
    expect(groups).toContain('past.example');
    expect((await server.ask(`${before}/apis`)).text).not.toContain('past.example');
    const v2 = await server.ask(`${then}/openapi/v2`);
    expect(v2.text).toContain('/apis/past.example/v1/namespaces/{namespace}/widgets');
  }, 20_000);

  it('pages a list of the past, and answers tables', async () => {
    const revision = await create('page-1');
    await create('page-2');
    const base = `/at/${await newest()}${PODS}`;
    const first = await server.ask(`${base}?limit=1`);
    const token = String(metadataOf(first)['continue']);
    const second = await server.ask(`${base}?limit=1&continue=${token}`);
    expect(revisionOf(second)).toBe(revisionOf(first));
    expect(namesOf(second)).not.toEqual(namesOf(first));
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const table = await server.ask(`/at/${revision}${PODS}`, { headers: { accept } });
    expect(table.json['kind']).toBe('Table');
  });

  it('says which revision a moment is, pins it and lets it go', async () => {
    const revision = await create('pinned');
    const moment = await server.ask(`/at/${revision}`);
    expect(moment.json).toMatchObject({ kind: 'Moment', revision });
    const time = String(moment.json['time']);
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
    const pinned = await server.ask(`/at/${revision}?for=1h`, { method: 'POST' });
    expect(pinned.status).toBe(201);
    const { id } = pinned.json['pin'] as { id: string };
    const history = await server.ask('/at/');
    expect(history.json).toMatchObject({ kind: 'History', oldest: {}, newest: {} });
    expect(history.text).toContain(id);
    const released = await server.ask(`/at/${revision}?pin=${id}`, { method: 'DELETE' });
    expect(released.json['released']).toBe(true);
    expect((await server.ask(`/at/${revision}?for=1000h`, { method: 'POST' })).status).toBe(400);
    expect((await server.ask(`/at/${revision}?pin=fork-x`, { method: 'DELETE' })).status).toBe(400);
  });

  it('understands times, and ends a replay where it is told', async () => {
    const revision = await create('timed');
    const later = await create('timed-2');
    await create('timed-3');
    expect((await server.ask(`/at/-1s${PODS}`)).status).toBeLessThan(411);
    const iso = new Date().toISOString();
    expect((await server.ask(`/at/${iso}${PODS}/timed`)).status).toBe(200);
    const query = `watch=1&resourceVersion=${revision}&until=${later}`;
    const watch = await server.watch(`/at/${revision}${PODS}?${query}`);
    expect(await watch.ended).toBe('end');
    expect(watch.types()).toEqual(['ADDED']);
    expect((await server.ask(`/at/${revision}${PODS}?speed=fast`)).status).toBe(400);
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
