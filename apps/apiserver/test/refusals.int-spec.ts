import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const FOOS = '/apis/example.com/v1/namespaces/default/foos';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const MERGE = 'merge-patch+json';
const NOT_FOUND = '404 page not found\n';

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        replicas: { type: 'integer', minimum: 0 },
        set: { type: 'array', items: { type: 'string' } },
      },
    },
  },
};

let api: Replica;

const told = ({ status, json }: Answer): unknown[] => [status, json['message']];

const causesOf = ({ json }: Answer): unknown =>
  ((json['details'] ?? {}) as { causes?: Json[] }).causes?.map(
    ({ field, message }) => `${field as string}: ${message as string}`,
  );

const as = (path: string, form: string): Promise<Answer> =>
  api.ask(path, { headers: { accept: `application/json;as=${form};v=v1;g=meta.k8s.io` } });

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
  const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
  const subresources = { scale };
  await api.post(CRDS, {
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
          subresources,
        },
      ],
    },
  });
  const body = { apiVersion: 'example.com/v1', kind: 'Foo', metadata: { name: 'one' }, spec: {} };
  await eventually(async () => {
    const { status } = await api.post(FOOS, body);
    if (status !== 201 && status !== 409) throw new Error(`not yet: ${status}`);
  });
  await api.post(CONFIG_MAPS, { metadata: { name: 'one' }, data: { a: '1' } });
}, 60_000);

afterAll(async () => {
  await api.close();
});

describe('a patch of a custom object', () => {
  it.each<{ name: string; patch: Json; want: unknown[] }>([
    {
      name: 'another version',
      patch: { apiVersion: 'example.com/v2' },
      want: [
        422,
        'Foo.example.com "one" is invalid: apiVersion: Invalid value: "example.com/v2": must be example.com/v1',
      ],
    },
    {
      name: 'another kind of another group',
      patch: { apiVersion: 'v1', kind: 'Bar' },
      want: [
        422,
        'Bar "one" is invalid: [kind: Invalid value: "Bar": must be Foo, apiVersion: Invalid value: "v1": must be example.com/v1]',
      ],
    },
    {
      name: 'no version',
      patch: { apiVersion: null },
      want: [
        500,
        "Internal error occurred: Object 'apiVersion' is missing in 'object has no apiVersion field'",
      ],
    },
  ])('may not make $name of it', async ({ patch, want }) => {
    expect(told(await api.patch(`${FOOS}/one`, MERGE, patch))).toEqual(want);
  });
});

describe('an update', () => {
  it.each<{ name: string; metadata: Json; want: string }>([
    {
      name: 'another uid',
      metadata: { uid: 'x' },
      want: 'metadata.uid: Invalid value: "x": field is immutable',
    },
    {
      name: 'a deletion',
      metadata: { deletionTimestamp: '2020-01-01T00:00:00Z' },
      want: 'metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": field is immutable',
    },
  ])('may not patch in $name, which is told twice', async ({ metadata, want }) => {
    for (const path of [`${FOOS}/one`, `${CONFIG_MAPS}/one`]) {
      const answer = await api.patch(path, MERGE, { metadata });
      expect([answer.status, causesOf(answer)]).toEqual([422, [want, want]]);
    }
  });

  it('of an object with another uid names what lies there', async () => {
    const { json } = await api.ask(`${CONFIG_MAPS}/one`);
    const { uid } = json['metadata'] as { uid: string };
    const answer = await api.ask(`${CONFIG_MAPS}/one`, {
      method: 'PUT',
      body: { metadata: { name: 'one', uid: 'x' } },
    });
    expect(told(answer)).toEqual([
      409,
      `Operation cannot be fulfilled on configmaps "one": StorageError: invalid object, Code: 4, Key: ${etcd.keyspace}configmaps/default/one, ` +
        `ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, UID in object meta: ${uid}`,
    ]);
  });

  it('passes over managed fields that nobody can read', async () => {
    const metadata = { managedFields: [{ manager: 'x' }] };
    const answer = await api.patch(`${CONFIG_MAPS}/one?dryRun=All`, MERGE, { metadata });
    expect(answer.status).toBe(200);
    expect(JSON.stringify(answer.json)).not.toContain('"manager":"x"');
    const made = await api.post(`${CONFIG_MAPS}?dryRun=All`, {
      metadata: { name: 'two', ...metadata },
    });
    expect(made.status).toBe(201);
  });
});

describe('a JSON patch', () => {
  it.each<{ name: string; query?: string; patch: unknown; want: unknown[] }>([
    {
      name: 'that is no list',
      patch: {},
      want: [
        400,
        'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
      ],
    },
    {
      name: 'that is no list, where fields are not validated',
      query: '?fieldValidation=Ignore',
      patch: {},
      want: [400, 'json: cannot unmarshal object into Go value of type jsonpatch.Patch'],
    },
    {
      name: 'of an operation that nobody knows',
      patch: [{ op: 'bad', path: '/data' }],
      want: [422, 'the server rejected our request due to an error in our request'],
    },
  ])('$name is refused', async ({ query = '', patch, want }) => {
    expect(told(await api.patch(`${CONFIG_MAPS}/one${query}`, 'json-patch+json', patch))).toEqual(
      want,
    );
  });

  it('is warned of fields that operations do not have, or refused strictly', async () => {
    const patch = [{ op: 'replace', path: '/data/a', value: '2', yy: 1 }];
    const path = `${CONFIG_MAPS}/one?dryRun=All`;
    const { headers } = await api.patch(path, 'json-patch+json', patch);
    expect(headers['warning']).toBe('299 - "json patch unknown field \\"[0].yy\\""');
    const strict = await api.patch(`${path}&fieldValidation=Strict`, 'json-patch+json', patch);
    expect(strict.status).toBe(422);
    expect(strict.json['message']).toContain(
      'strict decoding error: json patch unknown field "[0].yy"',
    );
  });
});

describe('an apply', () => {
  it.each<{ body: unknown; want: string }>([
    {
      body: [],
      want: 'error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
    },
    { body: null, want: 'invalid object type: /, Kind=' },
    { body: { apiVersion: 5 }, want: 'invalid object type: /, Kind=' },
  ])('of $body is refused', async ({ body, want }) => {
    for (const path of [FOOS, CONFIG_MAPS])
      expect(told(await api.patch(`${path}/x?fieldManager=a`, 'apply-patch+yaml', body))).toEqual([
        400,
        want,
      ]);
  });
});

describe('custom objects outside of their namespace', () => {
  it.each<{ method: string; path: string }>([
    { method: 'GET', path: '/foos/one' },
    { method: 'GET', path: '/foos/one/scale' },
    { method: 'DELETE', path: '/foos/one' },
    { method: 'DELETE', path: '/foos' },
  ])('are no page: $method $path', async ({ method, path }) => {
    const answer = await api.ask(`/apis/example.com/v1${path}`, { method });
    expect([answer.status, answer.text]).toEqual([404, NOT_FOUND]);
    expect((await api.ask(`${FOOS}/one`)).status).toBe(200);
  });

  it('are listed', async () => {
    expect((await api.ask('/apis/example.com/v1/foos')).status).toBe(200);
  });
});

describe('what is asked of lists and watches', () => {
  it('is a form that lists have', async () => {
    expect(told(await as(FOOS, 'PartialObjectMetadata'))).toEqual([
      406,
      'you requested PartialObjectMetadata, but the requested object is a list (*unstructured.UnstructuredList)',
    ]);
    expect(told(await as(CONFIG_MAPS, 'PartialObjectMetadata'))).toEqual([
      406,
      'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
    ]);
    expect(told(await as(`${CONFIG_MAPS}/one`, 'PartialObjectMetadataList'))).toEqual([
      406,
      'you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)',
    ]);
  });

  it.each<{ query: string; want: readonly string[] }>([
    {
      query: 'sendInitialEvents=true&resourceVersionMatch=Exact',
      want: [
        'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"',
      ],
    },
    {
      query: 'resourceVersionMatch=NotOlderThan',
      want: [
        'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ],
    },
    {
      query: 'continue=x',
      want: [
        'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided',
      ],
    },
  ])('is refused: watch=1&$query', async ({ query, want }) => {
    const answer = await api.ask(`${CONFIG_MAPS}?watch=1&timeoutSeconds=1&${query}`);
    expect([answer.status, causesOf(answer)]).toEqual([422, want]);
  });

  it('is the whole of any state, whatever the limit', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'three' } });
    const namesAt = async (query: string): Promise<number> =>
      ((await api.ask(`${CONFIG_MAPS}?limit=1${query}`)).json['items'] as unknown[]).length;
    expect(await namesAt('')).toBe(1);
    expect(await namesAt('&resourceVersion=0')).toBeGreaterThan(1);
  });

  it('ends with a bookmark where a watch begins anywhere', async () => {
    const watch = await api.watch(`${CONFIG_MAPS}?watch=1&allowWatchBookmarks=true`);
    await eventually(() => {
      const last = watch.events().at(-1);
      expect(last).toMatchObject({
        type: 'BOOKMARK',
        object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
      });
    });
    watch.response.destroy();
  });

  it('is no object in a row, if none is asked for', async () => {
    const { json } = await as(`${CONFIG_MAPS}?includeObject=None`, 'Table');
    expect((json['rows'] as Json[])[0]?.['object']).toBeNull();
  });

  it('has no HEAD where its kind is built in', async () => {
    for (const path of [CONFIG_MAPS, `${CONFIG_MAPS}/one`])
      expect((await api.ask(path, { method: 'HEAD' })).status).toBe(405);
    expect((await api.ask(FOOS, { method: 'HEAD' })).status).toBe(200);
  });

  it('has no verb that authorizers know', async () => {
    expect(told(await api.ask(FOOS, { method: 'OPTIONS' }))).toEqual([
      405,
      ' is not supported on resources of kind "foos.example.com"',
    ]);
  });
});

describe('the Scale of a custom object', () => {
  const path = `${FOOS}/one/scale`;

  beforeAll(async () => {
    await api.patch(`${FOOS}/one`, MERGE, { spec: { replicas: 2 } });
  });

  it('is a table and metadata', async () => {
    const { json } = await as(path, 'Table');
    const [row] = json['rows'] as { cells: unknown[] }[];
    expect(row?.cells.slice(0, 3)).toEqual(['one', 2, 0]);
    expect((await as(path, 'PartialObjectMetadata')).json['kind']).toBe('PartialObjectMetadata');
  });

  it.each<{ name: string; type?: string; query?: string; patch: Json; want: unknown[] }>([
    {
      name: 'too few replicas, by the object',
      patch: { spec: { replicas: -8 } },
      want: [
        422,
        'Foo.example.com "one" is invalid: [spec.replicas: Invalid value: -8: spec.replicas in body should be greater than or equal to 0, .spec.replicas: Invalid value: -8: should be a non-negative integer]',
      ],
    },
    {
      name: 'replicas of another type',
      patch: { spec: { replicas: 'x' } },
      want: [
        422,
        expect.stringMatching(
          /^ "" is invalid: patch: Invalid value: .*: json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32$/,
        ),
      ],
    },
    {
      name: 'an unknown field, strictly',
      query: '?fieldValidation=Strict',
      patch: { spec: { replicas: 3, zz: 1 } },
      want: [422, expect.stringMatching(/: strict decoding error: unknown field "spec.zz"$/)],
    },
    {
      name: 'a strategic patch',
      type: 'strategic-merge-patch+json',
      patch: { spec: { replicas: 3 } },
      want: [415, expect.stringContaining('accepted media types include')],
    },
    {
      name: 'another kind',
      patch: { kind: 'q' },
      want: [
        422,
        expect.stringMatching(
          /: no kind "q" is registered for version "autoscaling\/v1" in scheme "k8s.io\/client-go\/scale\/util.go:146"$/,
        ),
      ],
    },
  ])('refuses $name', async ({ type = MERGE, query = '', patch, want }) => {
    expect(told(await api.patch(`${path}${query}`, type, patch))).toEqual(want);
  });

  it('warns of an unknown field', async () => {
    const answer = await api.patch(path, MERGE, { spec: { replicas: 3, zz: 1 } });
    expect([answer.status, answer.headers['warning']]).toEqual([
      200,
      '299 - "unknown field \\"spec.zz\\""',
    ]);
  });
});
