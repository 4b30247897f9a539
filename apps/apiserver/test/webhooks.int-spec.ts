import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { HookServer } from './hook-server.js';
import type { HookRequest } from './hook-server.js';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const CONFIGS = '/apis/admissionregistration.k8s.io/v1';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const PODS = '/api/v1/namespaces/default/pods';
const SERVICE_IP = '127.218.130.17';

let api: Replica;
let hook: HookServer;

type Review = Json & { request: Json };

const reviewOf = ({ json }: HookRequest): Review => json as Review;
const requestOf = (seen: HookRequest | undefined): Json => reviewOf(seen ?? never()).request;

function never(): never {
  throw new Error('nothing was seen');
}

const respond = (seen: HookRequest, response: Json): Json => ({
  kind: 'AdmissionReview',
  apiVersion: 'admission.k8s.io/v1',
  response: { uid: requestOf(seen)['uid'], ...response },
});

const patched = (steps: unknown): Json => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(steps)).toString('base64'),
});

const rule = (resources: string[], operations = ['CREATE'], apiGroups = ['']): Json => ({
  apiGroups,
  apiVersions: ['*'],
  resources,
  operations,
});

const webhook = (more: Json = {}): Json => ({
  name: 'hook.example.com',
  clientConfig: { url: `${hook.url}/review`, caBundle: hook.caBundle },
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  rules: [rule(['configmaps'])],
  ...more,
});

let count = 0;

/** Configures webhooks and waits until the server knows them. */
async function configure(
  kind: 'mutating' | 'validating',
  ...webhooks: readonly Json[]
): Promise<void> {
  const metadata = { name: `hooks-${kind}-${(count += 1)}` };
  // A webhook that only the wait triggers says that all of this configuration is known.
  const probe = webhook({ name: 'probe.example.com', rules: [rule(['limitranges'])] });
  const made = await api.post(`${CONFIGS}/${kind}webhookconfigurations`, {
    metadata,
    webhooks: [...webhooks, probe],
  });
  expect(made.status).toBe(201);
  const { reply } = hook;
  hook.reply = (seen) => respond(seen, { allowed: true });
  await eventually(async () => {
    hook.seen.length = 0;
    await api.post('/api/v1/namespaces/default/limitranges?dryRun=All', {
      metadata: { name: 'probe' },
      spec: { limits: [] },
    });
    if (hook.seen.length === 0) throw new Error('the configuration is not known yet');
  });
  hook.seen.length = 0;
  hook.reply = reply;
}

const create = (name: string, query = ''): Promise<Answer> =>
  api.post(`${CONFIG_MAPS}${query}`, { metadata: { name }, data: { a: '1' } });

beforeAll(async () => {
  hook = await HookServer.start(SERVICE_IP, ['hook.default.svc']);
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: ['--disable-admission-plugins=ServiceAccount'],
  });
}, 60_000);

afterAll(async () => {
  await api.close();
  await hook.close();
});

beforeEach(async () => {
  for (const kind of ['mutating', 'validating'])
    await api.ask(`${CONFIGS}/${kind}webhookconfigurations`, { method: 'DELETE' });
  hook.seen.length = 0;
  hook.reply = (seen) => respond(seen, { allowed: true });
});

describe('a mutating webhook', () => {
  it('may break the entries of owners: they stay as they were, with a warning', async () => {
    await configure('mutating', webhook({ rules: [rule(['configmaps'], ['CREATE', 'UPDATE'])] }));
    hook.reply = (seen) =>
      respond(seen, patched([{ op: 'remove', path: '/metadata/managedFields/0/apiVersion' }]));
    const made = await api.post(CONFIG_MAPS, { metadata: { name: 'owned' }, data: { a: '1' } });
    const path = `${CONFIG_MAPS}/owned`;
    const put = await api.ask(path, {
      method: 'PUT',
      body: { metadata: { name: 'owned' }, data: { a: '2' } },
    });
    for (const { json, headers } of [made, put]) {
      const { managedFields } = json['metadata'] as { managedFields: Json[] };
      expect(managedFields).toMatchObject([{ apiVersion: 'v1', operation: 'Update' }]);
      expect(headers['warning']).toBe(
        '299 - ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: apiVersion must not be empty"',
      );
    }
  });

  it('changes the object, which is then defaulted and validated', async () => {
    await configure('mutating', webhook({ rules: [rule(['pods'])] }));
    hook.reply = (seen) =>
      respond(seen, patched([{ op: 'add', path: '/metadata/labels', value: { by: 'hook' } }]));
    const pod = {
      metadata: { name: 'mutated' },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    };
    const made = await api.post(PODS, pod);
    expect(made.json).toMatchObject({ metadata: { labels: { by: 'hook' } } });
    expect(requestOf(hook.seen[0])).toMatchObject({
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      name: 'mutated',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'system:admin' },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    });
    expect(hook.seen[0]?.path).toBe('/review?timeout=10s');
    hook.reply = (seen) =>
      respond(seen, patched([{ op: 'replace', path: '/spec/containers', value: [] }]));
    const broken = await api.post(PODS, { ...pod, metadata: { name: 'broken' } });
    expect(broken.json).toMatchObject({ code: 422, reason: 'Invalid' });
  });

  it('sees what a later one has changed, when it asks for that', async () => {
    const first = webhook({ name: 'first.example.com', reinvocationPolicy: 'IfNeeded' });
    await configure('mutating', first, webhook({ name: 'second.example.com' }));
    let calls = 0;
    hook.reply = (seen) => {
      calls += 1;
      return respond(
        seen,
        calls === 2
          ? patched([{ op: 'add', path: '/data/second', value: 'yes' }])
          : { allowed: true },
      );
    };
    await create('reinvoked');
    expect(hook.seen.map((seen) => (requestOf(seen)['object'] as Json)['data'])).toEqual([
      { a: '1' },
      { a: '1' },
      { a: '1', second: 'yes' },
    ]);
  });

  it('is shown the kind that its rule names', async () => {
    await configure(
      'mutating',
      webhook({
        rules: [
          {
            ...rule(['horizontalpodautoscalers'], ['CREATE'], ['autoscaling']),
            apiVersions: ['v1'],
          },
        ],
      }),
    );
    const spec = {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' },
      maxReplicas: 3,
      metrics: [],
    };
    await api.post('/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', {
      metadata: { name: 'equivalent' },
      spec,
    });
    expect(requestOf(hook.seen[0])).toMatchObject({
      kind: { group: 'autoscaling', version: 'v1' },
      resource: { version: 'v1' },
      requestKind: { version: 'v2' },
      object: { apiVersion: 'autoscaling/v1' },
    });
  });

  it.each<{ order: string[]; want: string }>([
    { order: ['v1beta1'], want: 'v1beta1' },
    { order: ['v2', 'v1beta1', 'v1'], want: 'v1beta1' },
    { order: ['v1', 'v1beta1'], want: 'v1' },
  ])('accepts $order and is asked in $want', async ({ order, want }) => {
    await configure('mutating', webhook({ admissionReviewVersions: order }));
    // As answers of v1beta1 may be: without kind, uid and patchType.
    const { patch } = patched([{ op: 'add', path: '/metadata/labels', value: { by: want } }]);
    const loose = { response: { allowed: true, patch } };
    hook.reply = (seen) =>
      want === 'v1beta1' ? loose : respond(seen, { allowed: true, patch, patchType: 'JSONPatch' });
    const { status, json } = await create('versions', '?dryRun=All');
    expect(status).toBe(201);
    expect(json).toMatchObject({ metadata: { labels: { by: want } } });
    const asked = hook.seen.map((seen) => reviewOf(seen)['apiVersion']);
    expect(asked).toEqual([`admission.k8s.io/${want}`]);
  });
});

describe('a validating webhook', () => {
  it('refuses in upstream words, and warns', async () => {
    await configure('validating', webhook());
    hook.reply = (seen) => respond(seen, { allowed: false, warnings: ['look out'] });
    const silent = await create('refused');
    expect(silent.json).toMatchObject({
      code: 400,
      message: 'admission webhook "hook.example.com" denied the request without explanation',
    });
    expect(silent.headers['warning']).toBe('299 - "look out"');
    const status = { code: 403, message: 'no', reason: 'Forbidden', details: { name: 'x' } };
    hook.reply = (seen) => respond(seen, { allowed: false, status });
    expect((await create('refused')).json).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'admission webhook "hook.example.com" denied the request: no',
      details: { name: 'x' },
    });
    expect((await api.ask(`${CONFIG_MAPS}/refused`)).status).toBe(404);
  });

  it('is reached through a Service at its cluster IP, by the name svc.namespace.svc', async () => {
    await api.post('/api/v1/namespaces/default/services', {
      metadata: { name: 'hook' },
      spec: { clusterIP: SERVICE_IP, ports: [{ port: hook.port }] },
    });
    const service = { name: 'hook', namespace: 'default', port: hook.port, path: '/by/service' };
    await configure('validating', webhook({ clientConfig: { service, caBundle: hook.caBundle } }));
    expect((await create('by-service')).status).toBe(201);
    expect(hook.seen[0]).toMatchObject({
      path: '/by/service?timeout=10s',
      headers: { host: `hook.default.svc:${hook.port}` },
    });
  });

  interface Failure {
    readonly name: string;
    readonly webhook?: () => Json;
    readonly reply?: (seen: HookRequest) => unknown;
    readonly message: string;
  }

  it.each<Failure>([
    {
      name: 'names a service that is not there',
      webhook: () => ({
        clientConfig: { service: { name: 'gone', namespace: 'default' }, caBundle: hook.caBundle },
      }),
      message:
        'failed to call webhook: Post "https://gone.default.svc:443/?timeout=10s": service "gone" not found',
    },
    {
      name: 'has a certificate of another CA',
      webhook: () => ({ clientConfig: { url: `${hook.url}/review` } }),
      message: 'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    },
    {
      name: 'refuses connections',
      webhook: () => ({
        clientConfig: { url: 'https://127.218.130.18:9443/x', caBundle: hook.caBundle },
      }),
      message:
        'Post "https://127.218.130.18:9443/x?timeout=10s": dial tcp 127.218.130.18:9443: connect: connection refused',
    },
    {
      name: 'is too slow',
      webhook: () => ({ timeoutSeconds: 1 }),
      reply: () => new Promise(() => undefined),
      message: '?timeout=1s": context deadline exceeded',
    },
    {
      name: 'answers another request',
      reply: (seen) => respond(seen, { uid: 'other', allowed: true }),
      message: 'received invalid webhook response: expected response.uid=',
    },
    {
      name: 'answers with a patch though it validates',
      reply: (seen) => respond(seen, patched([])),
      message:
        'received invalid webhook response: validating webhook may not return response.patch',
    },
  ])(
    'that $name fails the request, or not, as its policy says',
    async ({ webhook: more, reply, message }) => {
      const given = more?.() ?? {};
      await configure('validating', webhook({ ...given, failurePolicy: 'Fail' }));
      if (reply) hook.reply = reply;
      const failed = await create('failing');
      expect(failed.json).toMatchObject({ code: 500, reason: 'InternalError' });
      expect(failed.json['message']).toContain(
        'Internal error occurred: failed calling webhook "hook.example.com": ',
      );
      expect(failed.json['message']).toContain(message);
      await api.ask(`${CONFIGS}/validatingwebhookconfigurations`, { method: 'DELETE' });
      hook.reply = (seen) => respond(seen, { allowed: true });
      await configure('validating', webhook({ ...given, failurePolicy: 'Ignore' }));
      if (reply) hook.reply = reply;
      expect((await create('failing', '?dryRun=All')).status).toBe(201);
    },
  );

  it('that follows no redirect and tells nothing of a body: CVE-2020-8561', async () => {
    await configure('validating', webhook());
    hook.reply = (_seen, response) => {
      response.writeHead(307, { location: `${hook.url}/secret` });
      response.end('top secret');
    };
    const refused = await create('redirected');
    expect(refused.json['message']).toBe(
      'Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: the webhook attempted to redirect this request, which is not permitted',
    );
    expect(hook.seen.map(({ path }) => path)).toEqual(['/review?timeout=10s']);
    hook.reply = (_seen, response) => {
      response.writeHead(500);
      response.end('top secret');
    };
    expect((await create('redirected')).text).not.toContain('top secret');
  });

  it('may have no side effects, and is told of dry runs', async () => {
    const some = await api.post(`${CONFIGS}/validatingwebhookconfigurations`, {
      metadata: { name: 'some' },
      webhooks: [webhook({ sideEffects: 'Some' })],
    });
    expect(some.json['message']).toContain('webhooks[0].sideEffects: Unsupported value: "Some"');
    await configure('validating', webhook({ sideEffects: 'NoneOnDryRun' }));
    expect((await create('dry', '?dryRun=All')).status).toBe(201);
    expect(requestOf(hook.seen[0])['dryRun']).toBe(true);
  });

  it('is asked only when its conditions hold; one that fails refuses', async () => {
    const condition = (expression: string): Json => ({
      matchConditions: [{ name: 'mine', expression }],
    });
    await configure('validating', webhook(condition("request.name.startsWith('mine')")));
    hook.reply = (seen) => respond(seen, { allowed: false });
    expect((await create('yours')).status).toBe(201);
    expect((await create('mine')).status).toBe(400);
    await api.ask(`${CONFIGS}/validatingwebhookconfigurations`, { method: 'DELETE' });
    hook.reply = (seen) => respond(seen, { allowed: true });
    await configure('validating', webhook(condition("object.data.none == 'x'")));
    const failed = await create('failing-condition');
    expect([failed.status, failed.json['reason']]).toEqual([403, 'Forbidden']);
  });

  it('may be confined by labels of the object and of its namespace', async () => {
    const selectors = {
      objectSelector: { matchLabels: { watched: 'yes' } },
      namespaceSelector: {
        matchExpressions: [
          { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['default'] },
        ],
      },
    };
    await configure('validating', webhook(selectors));
    hook.reply = (seen) => respond(seen, { allowed: false });
    const labelled = (name: string, labels: Json): Promise<Answer> =>
      api.post(CONFIG_MAPS, { metadata: { name, labels } });
    expect((await labelled('unwatched', {})).status).toBe(201);
    expect((await labelled('watched', { watched: 'yes' })).status).toBe(400);
  });

  it('is never asked about the configuration of admission', async () => {
    const all = [rule(['*/*'], ['*'], ['*'])];
    await configure('validating', webhook({ rules: all }));
    hook.reply = (seen) => respond(seen, { allowed: false });
    expect((await create('blocked')).status).toBe(400);
    const gone = await api.ask(`${CONFIGS}/validatingwebhookconfigurations`, { method: 'DELETE' });
    expect(gone.status).toBe(200);
  });
});

describe('webhooks of subresources', () => {
  beforeEach(async () => {
    await configure('validating', webhook({ rules: [rule(['*/*'], ['*'], ['*'])] }));
  });

  const kinds = (): unknown[] =>
    hook.seen.map((seen) => {
      const { kind, operation, subResource = '' } = requestOf(seen);
      return [operation, (kind as Json)['kind'], subResource];
    });

  it('see a Scale', async () => {
    const template = {
      metadata: { labels: { a: 'b' } },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    };
    await api.post(DEPLOYMENTS, {
      metadata: { name: 'scaled' },
      spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template },
    });
    hook.seen.length = 0;
    await api.patch(`${DEPLOYMENTS}/scaled/scale`, 'merge-patch+json', { spec: { replicas: 3 } });
    expect(kinds()).toEqual([['UPDATE', 'Scale', 'scale']]);
    expect(requestOf(hook.seen[0])).toMatchObject({
      resource: { group: 'apps', resource: 'deployments' },
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      object: { spec: { replicas: 3 } },
      oldObject: { spec: { replicas: 1 } },
    });
  });

  it('see bindings, statuses, evictions and connections, each once', async () => {
    const spec = { containers: [{ name: 'a', image: 'a' }] };
    await api.post(PODS, { metadata: { name: 'subbed' }, spec });
    hook.seen.length = 0;
    const path = `${PODS}/subbed`;
    await api.post(`${path}/binding`, {
      metadata: { name: 'subbed' },
      target: { kind: 'Node', name: 'n' },
    });
    await api.patch(`${path}/status`, 'merge-patch+json', { status: { phase: 'Running' } });
    await api.post(`${path}/exec?command=ls&stdout=true`, undefined);
    await api.post(`${path}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'subbed' },
    });
    expect(kinds()).toEqual([
      ['CREATE', 'Binding', 'binding'],
      ['UPDATE', 'Pod', 'status'],
      ['CONNECT', 'PodExecOptions', 'exec'],
      ['CREATE', 'Eviction', 'eviction'],
    ]);
    expect(requestOf(hook.seen[2])['object']).toEqual({
      kind: 'PodExecOptions',
      apiVersion: 'v1',
      stdout: true,
      stderr: true,
      command: ['ls'],
    });
  });
});
