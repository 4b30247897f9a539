import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const FOOS = '/apis/example.com/v1/namespaces/default/foos';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

let api: Replica;

const ports = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' }, port: { type: 'integer' } },
  },
};
const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        ports,
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        args: { type: 'array', items: { type: 'string' } },
        size: { type: 'integer' },
      },
    },
    status: {
      type: 'object',
      properties: { phase: { type: 'string' }, replicas: { type: 'integer' } },
    },
  },
};

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
  await api.post(DEFINITIONS, {
    metadata: { name: 'foos.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'foos', kind: 'Foo' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.replicas' },
          },
        },
      ],
    },
  });
  await eventually(async () => (await api.ask(FOOS)).status === 200);
}, 60_000);

afterAll(async () => {
  await api.close();
});

function apply(rest: string, manager: string, fields: Json, query = ''): Promise<Answer> {
  const [name = ''] = rest.split('/');
  const body = { apiVersion: 'example.com/v1', kind: 'Foo', metadata: { name }, ...fields };
  const path = `${FOOS}/${rest}?fieldManager=${manager}${query}`;
  return api.patch(path, 'apply-patch+yaml', body);
}

const specOf = ({ json }: Answer): Json => json['spec'] as Json;
const owners = (answer: Answer): Json[] => (metadataOf(answer)['managedFields'] ?? []) as Json[];

describe('apply to a custom resource', () => {
  it('merges maps of lists by key, sets by value, and takes atomic lists whole', async () => {
    const first = { ports: [{ name: 'a', port: 1 }], tags: ['x'], args: ['1'] };
    expect((await apply('lists', 'one', { spec: first })).status).toBe(201);
    const more = { ports: [{ name: 'b', port: 2 }], tags: ['y'] };
    const both = await apply('lists', 'two', { spec: more });
    expect(specOf(both)).toEqual({
      ports: [
        { name: 'a', port: 1 },
        { name: 'b', port: 2 },
      ],
      tags: ['x', 'y'],
      args: ['1'],
    });
    const clash = await apply('lists', 'two', { spec: { ...more, args: ['2'] } });
    expect(clash.json).toMatchObject({
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "one": .spec.args',
    });
    const gone = await apply('lists', 'one', { spec: { tags: ['x'] } });
    expect(specOf(gone)).toEqual({ ports: [{ name: 'b', port: 2 }], tags: ['x', 'y'] });
  });

  it('is owned apart through /status, which leaves the declaration alone', async () => {
    await apply('apart', 'one', { spec: { args: ['1'] }, status: { phase: 'No' } });
    const status = await apply('apart/status', 'two', {
      spec: { args: ['9'] },
      status: { phase: 'Up' },
    });
    expect([status.status, status.json]).toMatchObject([
      200,
      { spec: { args: ['1'] }, status: { phase: 'Up' } },
    ]);
    expect(owners(status)).toMatchObject([
      { manager: 'one', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:args': {} } } },
      {
        manager: 'two',
        operation: 'Apply',
        subresource: 'status',
        fieldsV1: { 'f:status': { 'f:phase': {} } },
      },
    ]);
  });

  it('is owned through /scale by who applies the replicas', async () => {
    const deployments = '/apis/apps/v1/namespaces/default/deployments';
    const template = {
      metadata: { labels: { a: 'b' } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    await api.post(`${deployments}?fieldManager=maker`, {
      metadata: { name: 'scaled' },
      spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template },
    });
    const scale = { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 3 } };
    const path = `${deployments}/scaled/scale?fieldManager=scaler`;
    const refused = await api.patch(path, 'apply-patch+yaml', scale);
    expect([refused.status, refused.json['message']]).toEqual([
      409,
      'Apply failed with 1 conflict: conflict with "maker" using apps/v1: .spec.replicas',
    ]);
    const forced = await api.patch(`${path}&force=true`, 'apply-patch+yaml', scale);
    expect(forced.json).toMatchObject({ kind: 'Scale', spec: { replicas: 3 } });
    const object = await api.ask(`${deployments}/scaled`);
    expect(object.json).toMatchObject({ spec: { replicas: 3 }, metadata: { generation: 2 } });
    const entries = metadataOf(object)['managedFields'] as Json[];
    expect(entries.find(({ manager }) => manager === 'scaler')).toMatchObject({
      operation: 'Apply',
      apiVersion: 'apps/v1',
      subresource: 'scale',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    });
    await api.post(FOOS, {
      apiVersion: 'example.com/v1',
      kind: 'Foo',
      metadata: { name: 'sized' },
    });
    // k8s managedfields/internal/structuredmerge.go:Apply: a Scale is no version of the custom object.
    const sized = await api.patch(
      `${FOOS}/sized/scale?fieldManager=scaler`,
      'apply-patch+yaml',
      scale,
    );
    expect([sized.status, sized.json['message']]).toEqual([
      500,
      'failed to convert new object (default/sized; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1',
    ]);
    await apply('sized', 'another', { spec: { size: 7 } });
    const minded = await api.patch(
      `${FOOS}/sized/scale?fieldManager=scaler`,
      'apply-patch+yaml',
      scale,
    );
    expect([minded.status, minded.json['message']]).toEqual([
      409,
      'Apply failed with 1 conflict: conflict with "another": .spec.size',
    ]);
    const nobody = await api.patch(`${deployments}/scaled/scale`, 'apply-patch+yaml', scale);
    expect(nobody.status).toBe(422);
  });

  it('tells of keys that are given again, or refuses them', async () => {
    const body =
      '\napiVersion: example.com/v1\nkind: Foo\nmetadata: {name: again}\nspec:\n  args: ["1"]\n  args: ["2"]\n';
    const ask = (fieldValidation: string): Promise<Answer> =>
      api.ask(`${FOOS}/again?fieldManager=one&fieldValidation=${fieldValidation}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/apply-patch+yaml' },
        body,
      });
    const strict = await ask('Strict');
    expect([strict.status, strict.json['message']]).toEqual([
      400,
      'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key "args" already set in map',
    ]);
    const warned = await ask('Warn');
    expect([warned.status, warned.headers['warning']]).toEqual([
      201,
      String.raw`299 - "line 7: key \"args\" already set in map"`,
    ]);
    expect((await ask('Ignore')).headers['warning']).toBeUndefined();
  });

  it('leaves nothing of a dry run', async () => {
    const dry = await apply('dry', 'one', { spec: { args: ['1'] } }, '&dryRun=All');
    expect(dry.status).toBe(201);
    expect((await api.ask(`${FOOS}/dry`)).status).toBe(404);
  });

  it('commutes where the parts are apart', async () => {
    const parts: [string, Json][] = [
      ['one', { tags: ['x'] }],
      ['two', { ports: [{ name: 'a', port: 1 }] }],
      ['three', { args: ['1'] }],
    ];
    for (const [manager, spec] of parts) await apply('there', manager, { spec });
    for (const [manager, spec] of parts.toReversed()) await apply('back', manager, { spec });
    const [there, back] = [await api.ask(`${FOOS}/there`), await api.ask(`${FOOS}/back`)];
    expect(specOf(there)).toEqual(specOf(back));
  });
});

describe('managers of updates', () => {
  it('are ten at most; the oldest become one', async () => {
    // An object that nobody owns a field of stays untracked.
    await api.post(CONFIG_MAPS, { metadata: { name: 'many' }, data: { first: '1' } });
    const update = (i: number): Promise<Answer> =>
      api.patch(`${CONFIG_MAPS}/many?fieldManager=m${i}`, 'merge-patch+json', {
        data: { [`k${i}`]: '1' },
      });
    for (let i = 0; i < 12; i += 1) await update(i);
    const found = owners(await api.ask(`${CONFIG_MAPS}/many`));
    const ancient = found.find(({ manager }) => manager === 'ancient-changes');
    expect(found).toHaveLength(10);
    expect(ancient).toMatchObject({ operation: 'Update', fieldsV1: { 'f:data': { 'f:k0': {} } } });
  });
});
