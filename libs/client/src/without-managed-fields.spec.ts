import { describe, expect, it } from '@jest/globals';
import { withoutManagedFields } from './without-managed-fields.js';

const FIELDS = [
  {
    manager: 'a',
    time: null,
    fieldsV1: {
      'f:metadata': { 'f:labels': { '.': {}, 'f:a"]}\\': {} } },
      'k:{"type":"Ready"}': {},
    },
  },
];

const lineOf = (object: object): string => JSON.stringify({ type: 'MODIFIED', object });
const pod = (metadata: object, rest: object = {}): object => ({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata,
  ...rest,
});

describe('withoutManagedFields()', () => {
  it.each([
    { name: 'at the end', metadata: { name: 'a', managedFields: FIELDS }, want: { name: 'a' } },
    {
      name: 'at the start',
      metadata: { managedFields: FIELDS, name: 'a' },
      want: { name: 'a' },
    },
    {
      name: 'in between',
      metadata: { labels: { 'a{"': '[' }, managedFields: FIELDS, uid: 'u' },
      want: { labels: { 'a{"': '[' }, uid: 'u' },
    },
    { name: 'alone', metadata: { managedFields: FIELDS }, want: {} },
    { name: 'empty', metadata: { name: 'a', managedFields: [] }, want: { name: 'a' } },
  ])('cuts them out $name', ({ metadata, want }) => {
    const line = withoutManagedFields(lineOf(pod(metadata, { spec: { managedFields: [1] } })));
    expect(JSON.parse(line)).toStrictEqual({
      type: 'MODIFIED',
      object: pod(want, { spec: { managedFields: [1] } }),
    });
  });

  it.each([
    { name: 'there are none', object: pod({ name: 'a' }) },
    {
      name: 'they are of something else in the metadata',
      object: pod({ x: { managedFields: [1] } }),
    },
    { name: 'they are of something behind', object: pod({}, { spec: { managedFields: [1] } }) },
    { name: 'they stand in a text', object: pod({ a: { b: ',"managedFields":[' } }) },
    { name: 'they are no list', object: pod({ managedFields: null }) },
    { name: 'the metadata come late', object: { spec: {}, metadata: { managedFields: FIELDS } } },
    { name: 'it is a status', object: { kind: 'Status', code: 410, metadata: {} } },
  ])('leaves a line as it is where $name', ({ object }) => {
    expect(withoutManagedFields(lineOf(object))).toBe(lineOf(object));
  });

  it('leaves what is cut off no JSON', () => {
    const line = lineOf(pod({ name: 'a', managedFields: FIELDS })).slice(0, -30);
    expect(() => JSON.parse(withoutManagedFields(line)) as unknown).toThrow(SyntaxError);
  });
});
