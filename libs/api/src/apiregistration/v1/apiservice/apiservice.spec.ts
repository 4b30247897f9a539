import { describe, expect, it } from '@jest/globals';
import { context, objectOf, updateRefusals } from '../../../findings.fixture.js';
import { APIServiceKind } from './apiservice.kind.js';

describe('/status of an APIService', () => {
  it('tells the legal values as upstream does', () => {
    const status = { conditions: [{ type: 'Available', status: 'Maybe' }] };
    expect(updateRefusals(APIServiceKind, {}, { status }, 'status')).toEqual([
      'status.conditions[0].status: Unsupported value: "Maybe": supported values: "True", "False", "Unknown"',
    ]);
  });

  it('leaves the metadata as it is', () => {
    const old = objectOf(APIServiceKind, { metadata: { labels: { a: 'b' } } });
    const object = objectOf(APIServiceKind, {
      metadata: { labels: { a: 'c' }, annotations: { x: 'y' }, finalizers: ['f'] },
    });
    APIServiceKind.status?.prepareForUpdate?.(object, old, context);
    expect(object.metadata).toEqual(old.metadata);
  });
});
