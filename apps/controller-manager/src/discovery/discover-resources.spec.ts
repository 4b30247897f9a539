import { describe, expect, it } from '@jest/globals';
import type { KubeClient } from '@orrery/client';
import { discoverResources } from './discover-resources.js';

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
