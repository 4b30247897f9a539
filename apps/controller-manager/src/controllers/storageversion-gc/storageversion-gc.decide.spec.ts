import { describe, expect, it } from '@jest/globals';
import type { StorageVersion } from './storage-version.js';
import { decideStorageVersion, isIdentity } from './storageversion-gc.decide.js';

const version = (servers: Readonly<Record<string, string>>, common?: string): StorageVersion => ({
  metadata: { name: 'apps.deployments' },
  status: {
    storageVersions: Object.entries(servers).map(([apiServerID, encodingVersion]) => ({
      apiServerID,
      encodingVersion,
    })),
    ...(common ? { commonEncodingVersion: common } : {}),
  },
});

describe('decideStorageVersion()', () => {
  it.each([
    {
      name: 'keeps what servers that live say',
      given: version({ a: 'v1', b: 'v1' }, 'v1'),
      want: { act: 'keep' },
    },
    { name: 'keeps what says nothing', given: { metadata: {} }, want: { act: 'keep' } },
    {
      name: 'deletes what only the gone have said',
      given: version({ gone: 'v1' }),
      want: { act: 'delete' },
    },
    {
      name: 'drops the gone, after which the others may agree',
      given: version({ a: 'v1', gone: 'v2' }),
      want: { act: 'update', status: { ...version({ a: 'v1' }, 'v1').status } },
    },
    {
      name: 'says no common version where there is none',
      given: version({ a: 'v1', b: 'v2', gone: 'v1' }, 'v1'),
      want: { act: 'update', status: { ...version({ a: 'v1', b: 'v2' }).status } },
    },
  ])('$name', ({ given, want }) => {
    expect(decideStorageVersion(given, (server) => server !== 'gone')).toEqual(want);
  });
});

describe('isIdentity()', () => {
  it.each<{ name: string; labels: Record<string, string>; want: boolean }>([
    {
      name: 'is that of an API server',
      labels: { 'apiserver.kubernetes.io/identity': 'kube-apiserver' },
      want: true,
    },
    {
      name: 'is not that of others',
      labels: { 'apiserver.kubernetes.io/identity': 'other' },
      want: false,
    },
    { name: 'is none without the label', labels: {}, want: false },
  ])('$name', ({ labels, want }) => {
    expect(isIdentity({ metadata: { name: 'l', labels }, spec: {} })).toBe(want);
  });
});
