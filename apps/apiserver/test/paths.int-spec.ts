import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Replica } from './replica.js';

const ROUTED =
  '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf';
const NEGOTIATED =
  'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf';

describe('paths that are no resources', () => {
  const etcd = useEtcd();
  let replica: Replica;

  beforeAll(async () => {
    replica = await startReplica({
      etcd: etcd.endpoints,
      keyspace: '/paths/',
      flags: ['--disabled-metrics=apiserver_audit_event_total,apiserver_audit_level_total'],
    });
  });

  afterAll(() => replica.close());

  const ask = (path: string, accept: string): Promise<Answer> =>
    replica.ask(path, { headers: { accept } });

  it.each(['/', '/index.html'])('%s lists what there is', async (path) => {
    const { status, text, json, headers } = await replica.ask(path);
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    const { paths } = json as { paths: string[] };
    expect(paths).toEqual([...paths].sort());
    expect(paths).toEqual(
      expect.arrayContaining([
        '/api',
        '/api/v1',
        '/apis',
        '/apis/',
        '/apis/apps',
        '/apis/apps/v1',
        '/healthz',
        '/healthz/etcd',
        '/livez/ping',
        '/metrics',
        '/metrics/slis',
        '/openapi/v2',
        '/openapi/v3',
        '/readyz/shutdown',
        '/readyz/poststarthook/bootstrap-controller',
        '/version',
      ]),
    );
    expect(paths.filter((one) => one.startsWith('/debug/'))).toEqual([]);
    expect(text).toMatch(/^\{\n {2}"paths": \[\n {4}"\/api",/);
  });

  it('tells how checks ended at /metrics/slis, and nothing else', async () => {
    const { status, text } = await replica.ask('/metrics/slis');
    expect(status).toBe(200);
    expect(text).toContain('kubernetes_healthcheck{name="ping",type="readyz"} 1');
    expect([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name).sort()).toEqual([
      'kubernetes_healthcheck',
      'kubernetes_healthchecks_total',
    ]);
  });

  it.each([
    { path: '/api', accept: 'image/png', message: ROUTED },
    { path: '/api', accept: 'application/*', message: ROUTED },
    { path: '/api', accept: 'application/json;as=Table;v=v1;g=meta.k8s.io', message: NEGOTIATED },
    { path: '/apis', accept: 'text/html', message: NEGOTIATED },
    {
      path: '/apis',
      accept: 'application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList',
      message: NEGOTIATED,
    },
    { path: '/apis/apps', accept: 'text/html', message: NEGOTIATED },
    { path: '/apis/apps/v1', accept: 'text/html', message: ROUTED },
    { path: '/api/v1', accept: 'foo', message: ROUTED },
    {
      path: '/version',
      accept: 'application/json-patch+json',
      message: '406: Not Acceptable\n\nAvailable representations: application/json',
    },
    {
      path: '/api/v1/namespaces/default/configmaps/a',
      accept: 'application/json;as=Table;v=v9;g=meta.k8s.io',
      message: NEGOTIATED,
    },
    {
      path: '/api/v1/namespaces/default/configmaps/a',
      accept: 'application/*',
      message: ROUTED,
    },
  ])('$path refuses $accept', async ({ path, accept, message }) => {
    const { status, json } = await ask(path, accept);
    expect({ status, json }).toMatchObject({
      status: 406,
      json: { kind: 'Status', reason: 'NotAcceptable', code: 406, message },
    });
  });

  it('/metrics tells how many metrics are not served', async () => {
    const { text } = await replica.ask('/metrics');
    expect(text).toContain('\ndisabled_metrics_total 2\n');
    expect(text).toContain('\nhidden_metrics_total 0\n');
  });

  const as = (kind: string, version: string, type = 'application/json'): string =>
    `${type};as=${kind};v=${version};g=config.k8s.io`;

  it('/flagz tells with what the server was started', async () => {
    const { json, headers } = await ask('/flagz', as('Flagz', 'v1beta1'));
    expect(headers['content-type']).toBe('application/json');
    expect(json).toMatchObject({
      kind: 'Flagz',
      apiVersion: 'config.k8s.io/v1beta1',
      metadata: { name: 'apiserver' },
      flags: {
        'etcd-prefix': '/paths/',
        'enable-garbage-collector': 'true',
        'runtime-config': '[]',
      },
    });
    const { text } = await replica.ask('/flagz');
    expect(text).toMatch(/^\napiserver flagz\nWarning: This endpoint is not meant/);
    expect(text).toContain('\netcd-prefix=/paths/\n');
  });

  it('/statusz tells since when the server runs, and where to look', async () => {
    const { json } = await ask('/statusz', as('Statusz', 'v1beta1'));
    expect(json).toMatchObject({
      kind: 'Statusz',
      binaryVersion: '1.36',
      emulationVersion: '1.36',
      paths: expect.arrayContaining(['/flagz', '/healthz', '/metrics', '/statusz', '/version']),
    });
    expect(json['paths']).not.toContain('/apis');
    const old = await ask('/statusz', as('Statusz', 'v1alpha1', 'application/yaml'));
    expect([old.headers['content-type'], old.headers['warning']]).toEqual([
      'application/yaml',
      '299 - "This version of the statusz endpoint is deprecated. Please use a newer version."',
    ]);
    expect((await replica.ask('/statusz')).text).toMatch(/\nUp: 0 hr \d\d min \d\d sec\n/);
  });

  it.each(['application/json', as('Flagz', 'v1beta1'), as('Statusz', 'v1')])(
    '/statusz refuses %s',
    async (accept) => {
      const { status, json } = await ask('/statusz', accept);
      expect([status, json['message']]).toEqual([
        406,
        'only the following media types are accepted: application/json, application/yaml, text/plain',
      ]);
    },
  );

  it.each(['/openapi/v2', '/openapi/v3/apis/apps/v1'])(
    'lists no parameters in %s where there are none',
    async (path) => {
      const { status, text } = await ask(path, 'application/json');
      expect([status, text.includes('"parameters":[]')]).toEqual([200, false]);
    },
  );

  it.each(['/openapi/v2', '/openapi/v3/apis/apps/v1'])(
    '%s refuses without a body what it has not',
    async (path) => {
      const { status, text } = await ask(path, 'text/html');
      expect({ status, text }).toEqual({ status: 406, text: '' });
    },
  );

  it.each([
    { path: '/apis', accept: 'text/html, application/json', type: 'application/json' },
    { path: '/apis', accept: 'application/*', type: 'application/json' },
    { path: '/apis/apps', accept: 'application/yaml', type: 'application/yaml' },
    { path: '/api', accept: 'text/html, */*;q=0.1', type: 'application/json' },
    {
      path: '/api/v1',
      accept: 'application/vnd.kubernetes.protobuf',
      type: 'application/vnd.kubernetes.protobuf',
    },
    {
      path: '/api',
      accept: 'application/vnd.kubernetes.protobuf',
      type: 'application/vnd.kubernetes.protobuf',
    },
    { path: '/version', accept: 'application/yaml, */*', type: 'application/json' },
    { path: '/openapi/v2', accept: 'text/html;q=0.9, application/*', type: 'application/json' },
    { path: '/openapi/v3', accept: 'text/html', type: 'application/json' },
    { path: '/healthz', accept: 'image/png', type: 'text/plain; charset=utf-8' },
    { path: '/statusz', accept: '*/*', type: 'text/plain; charset=utf-8' },
    { path: '/flagz', accept: 'text/plain', type: 'text/plain; charset=utf-8' },
  ])('$path answers $accept with $type', async ({ path, accept, type }) => {
    const { status, headers } = await ask(path, accept);
    expect([status, headers['content-type']]).toEqual([200, type]);
  });
});
