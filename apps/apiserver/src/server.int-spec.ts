import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request as httpsRequest } from 'node:https';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { eventually, useEtcd } from '@orrery/testkit';
import { ApiServerOptions } from './config/options.js';
import { startServer } from './server.js';
import type { RunningServer } from './server.js';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const etcd = useEtcd();
let server: RunningServer;

function ask(path: string, { method = 'GET', body, headers = {} }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { 'user-agent': 'spec', 'content-type': 'application/json', ...headers };
    const url = new URL(path, server.address);
    const request = httpsRequest(
      url,
      { method, headers: all, rejectUnauthorized: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const isJson = text.startsWith('{') && !text.includes('}\n{');
          const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      },
    );
    request.on('error', reject);
    request.end(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body));
  });
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

const create = (name: string, more: object = {}): Promise<Answer> =>
  ask(CONFIG_MAPS, { method: 'POST', body: { metadata: { name }, ...more } });

const metadataOf = ({ json }: Answer): Record<string, unknown> =>
  (json['metadata'] ?? {}) as Record<string, unknown>;

beforeAll(async () => {
  const options = new ApiServerOptions();
  options.etcdServers = [...etcd.endpoints];
  options.etcdPrefix = etcd.keyspace;
  options.bindAddress = '127.204.9.1';
  options.securePort = 16443;
  options.serviceClusterIpRange = '127.204.128.0/17';
  server = await startServer(options, {
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: silentLogger,
  });
  await eventually(
    async () => {
      const { text } = await ask('/readyz?verbose');
      if (!text.includes('readyz check passed')) throw new Error(text);
    },
    { timeoutMs: 40_000 },
  );
}, 60_000);

afterAll(async () => {
  await server.close();
});

interface Refusal {
  readonly name: string;
  readonly path: string;
  readonly ask?: Ask;
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

describe('Status bodies', () => {
  it.each<Refusal>([
    {
      name: 'an object that is not there',
      path: `${CONFIG_MAPS}/nope`,
      code: 404,
      reason: 'NotFound',
      message: 'configmaps "nope" not found',
    },
    {
      name: 'resourceVersionMatch without resourceVersion',
      path: `${CONFIG_MAPS}?resourceVersionMatch=Exact`,
      code: 422,
      reason: 'Invalid',
      message:
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    },
    {
      name: 'a resourceVersion that is no number',
      path: `${CONFIG_MAPS}?resourceVersion=abc`,
      code: 400,
      reason: 'BadRequest',
      message:
        'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    },
    {
      name: 'a field that cannot be selected by',
      path: '/api/v1/pods?fieldSelector=spec.foo=1',
      code: 400,
      reason: 'BadRequest',
      message: 'field label not supported: spec.foo',
    },
    {
      name: 'a body of another kind',
      path: CONFIG_MAPS,
      ask: { method: 'POST', body: { kind: 'ConfigMap', apiVersion: 'v2' } },
      code: 400,
      reason: 'BadRequest',
      message:
        'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    },
    {
      name: 'another namespace in the body',
      path: CONFIG_MAPS,
      ask: { method: 'POST', body: { metadata: { name: 'a', namespace: 'x' } } },
      code: 400,
      reason: 'BadRequest',
      message:
        'the namespace of the provided object does not match the namespace sent on the request',
    },
    {
      name: 'an unknown field where validation is strict',
      path: `${CONFIG_MAPS}?fieldValidation=Strict`,
      ask: { method: 'POST', body: '{"metadata":{"name":"a"},"bogus":1,"data":{},"data":{}}' },
      code: 400,
      reason: 'BadRequest',
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus", duplicate field "data"',
    },
    {
      name: 'CBOR',
      path: CONFIG_MAPS,
      ask: { headers: { accept: 'application/cbor' } },
      code: 406,
      reason: 'NotAcceptable',
      message:
        '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
    },
    {
      name: 'a verb that the resource does not have',
      path: `${CONFIG_MAPS}/a`,
      ask: { method: 'POST', body: {} },
      code: 405,
      reason: 'MethodNotAllowed',
      message: 'the server does not allow this method on the requested resource',
    },
    {
      name: 'force of a patch that is no apply',
      path: `${CONFIG_MAPS}/a?force=true`,
      ask: {
        method: 'PATCH',
        body: {},
        headers: { 'content-type': 'application/merge-patch+json' },
      },
      code: 422,
      reason: 'Invalid',
      message:
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    },
    {
      name: 'a fieldValidation that is none',
      path: `${CONFIG_MAPS}?fieldValidation=X`,
      ask: { method: 'POST', body: {} },
      code: 422,
      reason: 'Invalid',
      message:
        'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "X": supported values: "", "Ignore", "Strict", "Warn"',
    },
    {
      name: 'an apply of another kind',
      path: `${CONFIG_MAPS}/a?fieldManager=m`,
      ask: {
        method: 'PATCH',
        body: { apiVersion: 'v1', kind: 'Secret' },
        headers: { 'content-type': 'application/apply-patch+yaml' },
      },
      code: 400,
      reason: 'BadRequest',
      message: 'invalid object type: /v1, Kind=Secret',
    },
    {
      name: 'an apply that does not say of what',
      path: `${CONFIG_MAPS}/a?fieldManager=m`,
      ask: {
        method: 'PATCH',
        body: { data: {} },
        headers: { 'content-type': 'application/apply-patch+yaml' },
      },
      code: 400,
      reason: 'BadRequest',
      message: 'invalid object type: /, Kind=',
    },
    {
      name: 'initial events of a list',
      path: `${CONFIG_MAPS}?sendInitialEvents=true`,
      code: 422,
      reason: 'Invalid',
      message:
        'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    },
    {
      name: 'a continue that is no JSON',
      path: `${CONFIG_MAPS}?limit=1&continue=abc`,
      code: 400,
      reason: 'BadRequest',
      message:
        "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
    },
    {
      name: 'sendInitialEvents without its match',
      path: `${CONFIG_MAPS}?watch=1&sendInitialEvents=true`,
      code: 422,
      reason: 'Invalid',
      message:
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    },
  ])('refuses $name', async ({ path, ask: how, code, reason, message }) => {
    const answer = await ask(path, how);
    expect(answer.json).toMatchObject({ kind: 'Status', status: 'Failure', code, reason, message });
    expect(answer.status).toBe(code);
  });

  it('answers 404 in plain text for a path that nothing serves', async () => {
    const answer = await ask('/nopes');
    expect([answer.status, answer.text]).toEqual([404, '404 page not found\n']);
  });
});

describe('writes', () => {
  it('creates once and says who was first', async () => {
    expect((await create('once')).status).toBe(201);
    const second = await create('once');
    expect(second.json).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "once" already exists',
    });
  });

  it('writes nothing for an update that changes nothing', async () => {
    const made = await create('still', { data: { a: '1' } });
    const path = `${CONFIG_MAPS}/still`;
    const again = await ask(path, { method: 'PUT', body: made.json });
    expect(metadataOf(again)['resourceVersion']).toBe(metadataOf(made)['resourceVersion']);
  });

  it('refuses an update of a state that is gone', async () => {
    const made = await create('moved', { data: { a: '1' } });
    const path = `${CONFIG_MAPS}/moved`;
    await ask(path, { method: 'PUT', body: { ...made.json, data: { a: '2' } } });
    const late = await ask(path, { method: 'PUT', body: { ...made.json, data: { a: '3' } } });
    expect(late.json).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  it('answers a dry run as if it were stored, and stores nothing', async () => {
    const body = { metadata: { generateName: 'dry-' } };
    const answer = await ask(`${CONFIG_MAPS}?dryRun=All`, { method: 'POST', body });
    const { name, resourceVersion } = metadataOf(answer);
    expect(String(name)).toMatch(/^dry-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(resourceVersion).toBeUndefined();
    expect((await ask(`${CONFIG_MAPS}/${String(name)}`)).status).toBe(404);
  });

  it('holds an object until its finalizers are gone', async () => {
    const path = `${CONFIG_MAPS}/held`;
    await ask(CONFIG_MAPS, {
      method: 'POST',
      body: { metadata: { name: 'held', finalizers: ['example.com/x'] } },
    });
    const deleting = await ask(path, { method: 'DELETE' });
    expect(metadataOf(deleting)['deletionTimestamp']).toBeDefined();
    await ask(path, {
      method: 'PATCH',
      body: { metadata: { finalizers: null } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect((await ask(path)).status).toBe(404);
  });

  it('allocates an address to a Service and refuses it to another', async () => {
    const services = '/api/v1/namespaces/default/services';
    const body = (name: string, clusterIP?: unknown): object => ({
      metadata: { name },
      spec: { ports: [{ port: 80 }], type: 'NodePort', clusterIP },
    });
    const first = await ask(services, { method: 'POST', body: body('one') });
    const { clusterIP } = first.json['spec'] as { clusterIP?: string };
    expect(clusterIP).toMatch(/^127\.204\./);
    const second = await ask(services, { method: 'POST', body: body('two', clusterIP) });
    expect(second.json).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(second.json['message']).toContain('provided IP is already allocated');
    await ask(`${services}/one`, { method: 'DELETE' });
    const third = await ask(services, { method: 'POST', body: body('two', clusterIP) });
    expect(third.status).toBe(201);
  });
});

describe('reads', () => {
  it('lists one snapshot in pages', async () => {
    const path = '/api/v1/namespaces/kube-public/configmaps';
    for (const name of ['p1', 'p2', 'p3'])
      await ask(path, { method: 'POST', body: { metadata: { name } } });
    const first = await ask(`${path}?limit=2`);
    await ask(path, { method: 'POST', body: { metadata: { name: 'p4' } } });
    const token = encodeURIComponent(String(metadataOf(first)['continue']));
    const second = await ask(`${path}?limit=2&continue=${token}`);
    const names = [first, second].flatMap(({ json }) =>
      (json['items'] as { metadata: { name: string } }[]).map((item) => item.metadata.name),
    );
    expect(names).toEqual(['p1', 'p2', 'p3']);
    expect(metadataOf(second)['resourceVersion']).toBe(metadataOf(first)['resourceVersion']);
    expect(metadataOf(first)['remainingItemCount']).toBe(1);
  });

  it('shows an object that leaves a selector as deleted', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps';
    const body = { metadata: { name: 'leaves', labels: { app: 'x' } } };
    const { resourceVersion } = metadataOf(await ask(path, { method: 'POST', body }));
    await ask(`${path}/leaves`, {
      method: 'PATCH',
      body: { metadata: { labels: { app: 'other' } } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    const since = Number(resourceVersion) - 1;
    const query = `watch=1&labelSelector=app%3Dx&resourceVersion=${since}&timeoutSeconds=1`;
    const { text } = await ask(`${path}?${query}`);
    const types = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual(['ADDED', 'DELETED']);
  });

  it('ends initial events with the bookmark that says so', async () => {
    const query =
      'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1';
    const { text } = await ask(`/api/v1/namespaces?${query}`);
    const last = JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
    expect(last).toMatchObject({
      type: 'BOOKMARK',
      object: {
        kind: 'Namespace',
        metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
      },
    });
  });

  it('serves discovery and OpenAPI with validators', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const first = await ask('/apis', { headers: { accept } });
    expect(first.headers['content-type']).toBe(accept);
    const { items } = JSON.parse(first.text) as { items: { metadata: { name: string } }[] };
    expect(items.find(({ metadata }) => metadata.name === 'apps')).toMatchObject({
      versions: [
        {
          version: 'v1',
          resources: expect.arrayContaining([
            expect.objectContaining({
              resource: 'replicasets',
              // As upstream: the group version of a kind is told where it is another than the resource's.
              responseKind: { group: '', version: '', kind: 'ReplicaSet' },
              subresources: [
                {
                  subresource: 'scale',
                  responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
                  verbs: ['get', 'patch', 'update'],
                },
                {
                  subresource: 'status',
                  responseKind: { group: '', version: '', kind: 'ReplicaSet' },
                  verbs: ['get', 'patch', 'update'],
                },
              ],
            }),
          ]) as unknown,
        },
      ],
    });
    const etag = String(first.headers['etag']);
    const second = await ask('/apis', { headers: { accept, 'if-none-match': etag } });
    expect(second.status).toBe(304);
    const wrong = await ask('/openapi/v3/apis/apps/v1?hash=WRONG');
    expect(wrong.status).toBe(301);
  });
});

describe('CustomResourceDefinitions', () => {
  const definition = {
    metadata: { name: 'foos.ex.io' },
    spec: {
      group: 'ex.io',
      scope: 'Namespaced',
      names: { plural: 'foos', kind: 'Foo' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  required: ['color'],
                  properties: {
                    color: { type: 'string', enum: ['red', 'blue'] },
                    size: { type: 'integer', default: 1 },
                  },
                },
                status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          },
        },
      ],
    },
  };
  const foos = '/apis/ex.io/v1/namespaces/default/foos';

  it('serves, defaults, prunes and validates what they declare, until they are deleted', async () => {
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect((await ask(definitions, { method: 'POST', body: definition })).status).toBe(201);
    await eventually(async () => {
      expect((await ask(foos)).status).toBe(200);
    });
    const type = { apiVersion: 'ex.io/v1', kind: 'Foo' };
    const spec = { color: 'red', bogus: 1 };
    const body = { ...type, metadata: { name: 'a' }, spec, status: { x: 1 } };
    const made = await ask(foos, { method: 'POST', body });
    expect(made.json).toMatchObject({ kind: 'Foo', spec: { color: 'red', size: 1 } });
    expect(made.json['spec']).not.toHaveProperty('bogus');
    expect(made.json).not.toHaveProperty('status');
    expect(made.headers['warning']).toBe('299 - "unknown field \\"spec.bogus\\""');
    const bad = await ask(foos, {
      method: 'POST',
      body: { ...type, metadata: { name: 'b' }, spec: { color: 'green' } },
    });
    expect(bad.json['message']).toBe(
      'Foo.ex.io "b" is invalid: spec.color: Unsupported value: "green": supported values: "red", "blue"',
    );
    await ask(`${definitions}/foos.ex.io`, { method: 'DELETE' });
    await eventually(async () => {
      expect((await ask(foos)).status).toBe(404);
    });
  });
});
