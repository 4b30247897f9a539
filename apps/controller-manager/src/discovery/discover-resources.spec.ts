import { describe, expect, it } from '@jest/globals';
import type { KubeClient } from '@orrery/client';
import { RepeatedDiscovery, discoverResources } from './discover-resources.js';

const VERBS = ['list', 'watch', 'delete'];
const resource = (name: string, kind: string, verbs = VERBS) => ({
  name,
  kind,
  verbs,
  namespaced: true,
});
const list = (...resources: object[]) => ({ resources });

const ANSWERS: Readonly<Record<string, unknown>> = {
  '/apis': {
    groups: [
      {
        name: 'batch',
        preferredVersion: { version: 'v1' },
        versions: [{ version: 'v1' }, { version: 'v1beta1' }],
      },
      { name: 'down.example.com', versions: [{ version: 'v1' }] },
    ],
  },
  '/api/v1': list(
    resource('pods', 'Pod'),
    resource('pods/status', 'Pod'),
    resource('bindings', 'Binding', ['create']),
  ),
  '/apis/batch/v1': list(resource('jobs', 'Job')),
  '/apis/batch/v1beta1': list(resource('jobs', 'Job'), resource('cronjobs', 'CronJob')),
};

const client = {
  raw: (path: string) =>
    Promise.resolve({
      code: ANSWERS[path] ? 200 : 503,
      body: JSON.stringify(ANSWERS[path] ?? {}),
    }),
} as unknown as KubeClient;

describe('discoverResources()', () => {
  it('finds each resource in the most preferred version that has it', async () => {
    const { refs } = await discoverResources(client);
    expect(refs.map(({ version, plural }) => `${version}/${plural}`)).toEqual([
      'v1/pods',
      'v1/jobs',
      'v1beta1/cronjobs',
    ]);
  });

  it('names the groups that do not answer', async () => {
    expect((await discoverResources(client)).failed).toEqual(['down.example.com']);
  });
});

const AGGREGATED: Readonly<Record<string, readonly object[]>> = {
  '/api': [
    {
      metadata: {},
      versions: [
        {
          version: 'v1',
          resources: [aggregated('pods', 'Pod'), aggregated('bindings', 'Binding', ['create'])],
        },
      ],
    },
  ],
  '/apis': [
    {
      metadata: { name: 'batch' },
      versions: [
        { version: 'v1', resources: [aggregated('jobs', 'Job')] },
        {
          version: 'v1beta1',
          resources: [aggregated('jobs', 'Job'), aggregated('cronjobs', 'CronJob')],
        },
      ],
    },
    { metadata: { name: 'down.example.com' }, versions: [{ version: 'v1', freshness: 'Stale' }] },
  ],
};

function aggregated(name: string, kind: string, verbs = VERBS): object {
  return {
    resource: name,
    responseKind: { group: '', version: '', kind },
    scope: 'Cluster',
    verbs,
  };
}

describe('RepeatedDiscovery', () => {
  it('finds the same in one answer for all groups, and takes what is as before from memory', async () => {
    const codes: number[] = [];
    const modern = {
      raw: (path: string, _signal: unknown, { etag }: { etag?: string } = {}) => {
        const code = etag === `"${path}"` ? 304 : 200;
        codes.push(code);
        const body = { kind: 'APIGroupDiscoveryList', items: AGGREGATED[path] };
        return Promise.resolve({
          code,
          etag: `"${path}"`,
          body: code === 304 ? '' : JSON.stringify(body),
        });
      },
    } as unknown as KubeClient;
    const discovery = new RepeatedDiscovery(modern);
    for (let i = 0; i < 2; i++)
      expect((await discovery.refs()).map(({ version, plural }) => `${version}/${plural}`)).toEqual(
        ['v1/pods', 'v1/jobs', 'v1beta1/cronjobs'],
      );
    expect(codes).toEqual([200, 200, 304, 304]);
  });

  it('asks a server that does not know this form as before', async () => {
    const old = {
      raw: (path: string) =>
        path === '/api'
          ? Promise.resolve({ code: 200, body: '{"kind":"APIVersions"}' })
          : client.raw(path),
    } as unknown as KubeClient;
    expect((await new RepeatedDiscovery(old).refs()).length).toBe(3);
  });
});
