import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../../findings.fixture.js';
import { refusals } from '../../../findings.fixture.js';
import type { StorageVersionMigration } from '../../../gen/types/storagemigration.v1beta1.js';
import type { KindContext } from '../../../kind.js';
import { StorageVersionMigrationKind } from './storageversionmigration.kind.js';

const migration = (status: object): StorageVersionMigration =>
  ({
    metadata: { name: 'm', resourceVersion: '1' },
    spec: { resource: { resource: 'pods' } },
    status: { resourceVersion: '7', ...status },
  }) as StorageVersionMigration;

const condition = (type: string, status = 'True'): object => ({
  type,
  status,
  reason: 'X',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

describe('a migration of stored versions', () => {
  it.each<Refused>([
    {
      name: 'no resource',
      change: { spec: { resource: { resource: '', group: 'x_y' } } },
      want: [
        'spec.resource.resource: Required value: resource is required to be set',
        "spec.resource.group: Invalid value: \"x_y\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(StorageVersionMigrationKind, change)).toEqual(want);
  });

  it.each([
    {
      name: 'a revision that is none',
      before: migration({}),
      after: migration({ resourceVersion: '07' }),
      want: [
        'status.resourceVersion: resource version is not well formed: 07',
        'status.resourceVersion: field is immutable',
      ],
    },
    {
      name: 'outcomes that cannot be together',
      before: migration({}),
      after: migration({
        conditions: ['Succeeded', 'Failed', 'Running'].map((one) => condition(one)),
      }),
      want: [
        'status.conditions: Both success and failed conditions cannot be true at the same time',
        'status.conditions: Running condition cannot be true when success condition is true',
        'status.conditions: Running condition cannot be true when failed condition is true',
      ],
    },
    {
      name: 'outcomes taken back',
      before: migration({ conditions: [condition('Succeeded')] }),
      after: migration({ conditions: [condition('Succeeded', 'False')] }),
      want: ['status.conditions: Success condition cannot be set to false once it is true'],
    },
    { name: 'nothing else', before: migration({}), after: migration({}), want: [] },
  ])('refuses in its status $name', ({ before, after, want }) => {
    const found =
      StorageVersionMigrationKind.status?.validateUpdate?.(after, before, {} as KindContext) ?? [];
    expect(
      found.map(
        ({ field, message }) =>
          `${field}: ${message.replace(/^Invalid value: .*?: (?=[A-Zrf])/, '')}`,
      ),
    ).toEqual(want);
  });
});
