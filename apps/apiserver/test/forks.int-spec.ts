import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EtcdClient, Pins } from '@orrery/storage';
import { eventually, startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { metadataOf, namesOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const MAPS = '/api/v1/namespaces/default/configmaps';

let etcd: TestEtcd;
let api: Replica;

const versionOf = (answer: { readonly json: Json }): number =>
  Number(metadataOf(answer)['resourceVersion']);

async function fork(name: string, at?: string | number): Promise<Answer> {
  const answer = await api.post('/forks', { name, ...(at === undefined ? {} : { at }) });
  expect(answer.status).toBe(201);
  return answer;
}

const remove = (name: string): Promise<Answer> => api.ask(`/forks/${name}`, { method: 'DELETE' });
const erase = (path: string): Promise<Answer> => api.ask(path, { method: 'DELETE' });

beforeAll(async () => {
  etcd = await startEtcd();
  api = await startReplica({ etcd: etcd.endpoints, keyspace: '/forked/' });
  for (const name of ['a', 'b', 'c', 'd', 'e']) await api.post(MAPS, { metadata: { name } });
}, 60_000);

afterAll(async () => {
  await api.close();
  await etcd.stop();
});

describe('a fork', () => {
  it('is the whole cluster at its creation, and apart from then on', async () => {
    await fork('apart');
    const before = namesOf(await api.ask(MAPS));
    expect(namesOf(await api.ask(`/forks/apart${MAPS}`))).toEqual(before);
    await api.post(`/forks/apart${MAPS}`, { metadata: { name: 'inside' } });
    await api.patch(`/forks/apart${MAPS}/b`, 'merge-patch+json', { data: { x: 'fork' } });
    await erase(`/forks/apart${MAPS}/c`);
    await api.post(MAPS, { metadata: { name: 'outside' } });
    await api.patch(`${MAPS}/d`, 'merge-patch+json', { data: { x: 'live' } });
    expect(namesOf(await api.ask(MAPS))).toEqual([...before, 'outside'].sort());
    const inside = before.filter((name) => name !== 'c').concat('inside');
    expect(namesOf(await api.ask(`/forks/apart${MAPS}`))).toEqual(inside.sort());
    expect((await api.ask(`${MAPS}/b`)).json['data']).toBeUndefined();
    expect((await api.ask(`/forks/apart${MAPS}/b`)).json['data']).toEqual({ x: 'fork' });
    expect((await api.ask(`/forks/apart${MAPS}/d`)).json['data']).toBeUndefined();
    await erase(`${MAPS}/outside`);
    await remove('apart');
  });

  it('tells of itself, is listed and goes with all it holds', async () => {
    const made = await fork('told');
    expect(made.json).toMatchObject({
      kind: 'Fork',
      metadata: { name: 'told' },
      status: { path: '/forks/told', user: 'system:admin' },
    });
    expect(JSON.stringify(made.json)).not.toContain('PRIVATE');
    expect((await api.ask('/forks/told')).json).toEqual(made.json);
    expect(namesOf(await api.ask('/forks'))).toContain('told');
    expect((await api.post('/forks', { name: 'told' })).json).toMatchObject({
      code: 409,
      message: 'forks.orrery.dev "told" already exists',
    });
    await api.post(`/forks/told${MAPS}`, { metadata: { name: 'mine' } });
    expect((await remove('told')).status).toBe(200);
    expect((await remove('told')).status).toBe(404);
    await eventually(async () => {
      const { json } = await api.ask(`/forks/told${MAPS}`);
      expect(json).toMatchObject({ code: 404, message: 'forks.orrery.dev "told" not found' });
    });
    await fork('told');
    expect(namesOf(await api.ask(`/forks/told${MAPS}`))).not.toContain('mine');
    await remove('told');
  });

  it('stands on an older revision when asked to', async () => {
    const { json } = await api.ask(MAPS);
    const then = versionOf({ json });
    const gone = await api.post(MAPS, { metadata: { name: 'later' } });
    await fork('older', then);
    expect(namesOf(await api.ask(`/forks/older${MAPS}`))).toEqual(namesOf({ json }));
    const list = await api.ask(`/forks/older${MAPS}`);
    expect(versionOf(list)).toBeGreaterThan(versionOf(gone));
    await remove('older');
    await erase(`${MAPS}/later`);
  });

  it.each([
    { name: 'a fork of a fork', path: '/forks/refusals/forks', body: { name: 'x' }, code: 400 },
    { name: 'a name that is no label', path: '/forks', body: { name: 'No/Name' }, code: 400 },
    { name: 'a revision to come', path: '/forks', body: { name: 'x', at: 1e9 }, code: 400 },
    { name: 'a field it does not know', path: '/forks', body: { name: 'x', to: 1 }, code: 400 },
    {
      name: "a pod's processes",
      path: '/forks/refusals/api/v1/namespaces/default/pods/p/exec',
      body: {},
      code: 405,
    },
  ])('refuses $name', async ({ path, body, code }) => {
    await api.post('/forks', { name: 'refusals' });
    expect((await api.post(path, body)).status).toBe(code);
  });

  it('watches what happens in it from its creation on, and nothing of before', async () => {
    const made = versionOf(await fork('watched'));
    const query = (revision: number): string => `?watch=1&resourceVersion=${revision}`;
    const watch = await api.watch(`/forks/watched${MAPS}${query(made)}`);
    await api.post(MAPS, { metadata: { name: 'live-only' } });
    await api.patch(`/forks/watched${MAPS}/a`, 'merge-patch+json', { data: { x: '1' } });
    await erase(`/forks/watched${MAPS}/a`);
    await api.post(`/forks/watched${MAPS}`, { metadata: { name: 'a' } });
    await eventually(() => {
      const seen = watch.events().map(({ type, object }) => {
        return `${type} ${String(metadataOf({ json: object })['name'])}`;
      });
      expect(seen).toEqual(['MODIFIED a', 'DELETED a', 'ADDED a']);
    });
    watch.response.destroy();
    const late = await api.watch(`/forks/watched${MAPS}${query(made - 1)}`);
    await late.ended;
    expect(late.events()).toMatchObject([{ type: 'ERROR', object: { code: 410 } }]);
    await erase(`${MAPS}/live-only`);
    await remove('watched');
  });

  it('pages by tokens that are good in that fork alone', async () => {
    await fork('paged');
    await api.post(`/forks/paged${MAPS}`, { metadata: { name: 'bb' } });
    const first = await api.ask(`/forks/paged${MAPS}?limit=3`);
    const token = String(metadataOf(first)['continue']);
    await erase(`/forks/paged${MAPS}/d`);
    const rest = await api.ask(`/forks/paged${MAPS}?limit=99&continue=${token}`);
    const all = namesOf(await api.ask(MAPS));
    expect([...namesOf(first), ...namesOf(rest)]).toEqual([...all, 'bb'].sort());
    for (const elsewhere of [MAPS, `/forks/other${MAPS}`]) {
      await api.post('/forks', { name: 'other' });
      const answer = await api.ask(`${elsewhere}?limit=3&continue=${token}`);
      expect(answer.json).toMatchObject({ code: 400, reason: 'BadRequest' });
    }
    await remove('paged');
    await remove('other');
  });

  it('serves custom resources of its own', async () => {
    await fork('custom');
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'planets.orrery.test' },
      spec: {
        group: 'orrery.test',
        scope: 'Namespaced',
        names: { plural: 'planets', kind: 'Planet', singular: 'planet' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object' } },
          },
        ],
      },
    };
    const planets = '/apis/orrery.test/v1/namespaces/default/planets';
    await api.post(
      '/forks/custom/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      definition,
    );
    await eventually(async () => {
      const mars = { apiVersion: 'orrery.test/v1', kind: 'Planet', metadata: { name: 'mars' } };
      const made = await api.post(`/forks/custom${planets}`, mars);
      expect([201, 409]).toContain(made.status);
    });
    expect((await api.ask('/forks/custom/apis')).text).toContain('orrery.test');
    expect((await api.ask('/forks/custom/openapi/v3')).text).toContain(
      '/forks/custom/openapi/v3/apis/orrery.test',
    );
    expect((await api.ask('/apis')).text).not.toContain('orrery.test');
    expect((await api.ask(planets)).status).toBe(404);
    await remove('custom');
  });

  it('has an issuer of its own: its tokens are good inside, and nowhere else', async () => {
    await fork('issuing');
    await fork('foreign');
    await api.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } });
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await api.post(`/forks/issuing${accounts}`, { metadata: { name: 'inner' } });
    const answer = await api.post(`/forks/issuing${accounts}/inner/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3600 },
    });
    const { token } = answer.json['status'] as { token: string };
    const review = { spec: { token } };
    const ask = (path: string): Promise<Answer> =>
      api.post(`${path}/apis/authentication.k8s.io/v1/tokenreviews`, review);
    expect((await ask('/forks/issuing')).json['status']).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:default:inner' },
    });
    expect((await ask('/forks/foreign')).json['status']).not.toMatchObject({ authenticated: true });
    expect((await ask('')).json['status']).not.toMatchObject({ authenticated: true });
    await remove('issuing');
    await remove('foreign');
  });

  it('ends its watches when it is removed', async () => {
    await fork('ending');
    const watch = await api.watch(`/forks/ending${MAPS}?watch=1`);
    await eventually(() => {
      expect(watch.events().length).toBeGreaterThan(3);
    });
    await remove('ending');
    await watch.ended;
    expect(watch.types()).not.toContain('DELETED');
  });

  it('answers by name that it has expired when what kept its base is gone', async () => {
    const made = await fork('pressed');
    const client = new EtcdClient({ endpoints: etcd.endpoints });
    await new Pins(client).release(`fork-${String(metadataOf(made)['uid'])}`);
    client.close();
    await eventually(async () => {
      const { json } = await api.ask(`/forks/pressed${MAPS}`);
      expect(json).toMatchObject({ code: 410, reason: 'Expired' });
      expect(json['message']).toMatch(/^the fork "pressed" has expired: /);
    });
    expect(namesOf(await api.ask('/forks'))).toContain('pressed');
    expect((await remove('pressed')).status).toBe(200);
  });

  it('gives Services addresses of its own accord', async () => {
    const services = '/api/v1/namespaces/default/services';
    const service = (name: string): object => ({
      metadata: { name },
      spec: { ports: [{ port: 80 }] },
    });
    const address = ({ json }: Answer): string =>
      String((json['spec'] as { clusterIP?: string }).clusterIP);
    const known = address(await api.post(services, service('known')));
    await fork('allocating');
    const inside = address(await api.post(`/forks/allocating${services}`, service('inside')));
    expect(inside).toMatch(/^127\.218\./);
    expect(inside).not.toBe(known);
    const spec = { clusterIP: inside, ports: [{ port: 80 }] };
    const live = await api.post(services, { metadata: { name: 'live' }, spec });
    expect([live.status, address(live)]).toEqual([201, inside]);
    await erase(`/forks/allocating${services}/known`);
    const freed = { clusterIP: known, ports: [{ port: 80 }] };
    const taken = { metadata: { name: 'taken' }, spec: freed };
    expect((await api.post(`/forks/allocating${services}`, taken)).status).toBe(201);
    expect((await api.post(services, taken)).status).toBe(422);
    await remove('allocating');
  });

  it('shows what has changed in it, and how it differs from the live cluster', async () => {
    await fork('differing');
    await api.patch(`/forks/differing${MAPS}/b`, 'merge-patch+json', { data: { x: '1' } });
    await erase(`/forks/differing${MAPS}/c`);
    await api.post(`/forks/differing${MAPS}`, { metadata: { name: 'new' } });
    const linesOf = ({ json }: Answer): string[] =>
      (json['changes'] as { type: string; kind: string; name: string }[])
        .filter(({ kind }) => kind === 'ConfigMap')
        .map(({ type, name }) => `${type} ${name}`);
    const base = await api.ask('/forks/differing/-/diff');
    expect(linesOf(base)).toEqual(['changed b', 'deleted c', 'added new']);
    await api.post(MAPS, { metadata: { name: 'live-too' } });
    const live = await api.ask('/forks/differing/-/diff?against=live');
    expect(linesOf(live).sort()).toEqual([
      'added new',
      'changed b',
      'deleted c',
      'deleted live-too',
    ]);
    await erase(`${MAPS}/live-too`);
    await remove('differing');
  });
});
