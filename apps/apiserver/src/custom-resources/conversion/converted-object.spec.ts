import { describe, expect, it } from '@jest/globals';
import { checkConverted } from './converted-object.js';

const original = {
  apiVersion: 'example.com/v1',
  kind: 'Host',
  metadata: { name: 'web', namespace: 'default', uid: 'u', labels: { a: 'b' } },
};
const made = (metadata: unknown, more: object = {}): unknown => ({
  ...original,
  apiVersion: 'example.com/v2',
  ...more,
  metadata,
});
const { metadata: same } = original;

const ask = (converted: unknown, form: 'one' | 'list'): unknown =>
  checkConverted(converted, { original, desired: 'example.com/v2', form, index: 2 });

describe('checkConverted()', () => {
  it('takes labels and annotations, and nothing else of the metadata', () => {
    const changed = { ...same, labels: { c: 'd' }, annotations: { e: 'f' }, finalizers: ['x/y'] };
    expect(ask(made(changed), 'one')).toEqual(
      made({ ...same, labels: { c: 'd' }, annotations: { e: 'f' } }),
    );
    const { labels: _labels, ...without } = same;
    expect(ask(made(without), 'list')).toEqual(made(without));
  });

  it.each([
    {
      name: 'another version',
      converted: original,
      one: 'object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v1)',
      list: 'converted object at index 2: invalid groupVersion (expected example.com/v2, received example.com/v1)',
    },
    {
      name: 'another kind',
      converted: made(same, { kind: 'Other' }),
      one: 'object at index 0: invalid kind (expected Host, received Other)',
      list: 'converted object at index 2: invalid kind (expected Host, received Other)',
    },
    {
      name: 'another object',
      converted: made({ ...same, uid: 'v' }),
      one: 'object: must have the same UID: u != v',
      list: 'converted object at index 2: must have the same UID: u != v',
    },
    {
      name: 'labels that are none',
      converted: made({ ...same, labels: ['a'] }),
      one: 'metadata: invalid metadata.labels of type []interface {} in converted object',
      list: 'metadata in object at index 2: invalid metadata.labels of type []interface {} in converted object',
    },
    {
      name: 'a label that is no string',
      converted: made({ ...same, labels: { a: 1 } }),
      one: 'metadata: metadata.labels[a] must be a string, but is int64 in converted object',
      list: 'metadata in object at index 2: metadata.labels[a] must be a string, but is int64 in converted object',
    },
  ])('refuses $name', ({ converted, one, list }) => {
    expect(() => ask(converted, 'one')).toThrow(one);
    expect(() => ask(converted, 'list')).toThrow(list);
  });

  it('judges labels and annotations that the webhook has changed, by the rules of every object', () => {
    expect(() => ask(made({ ...same, labels: { a: 'b c' } }), 'one')).toThrow(
      /^metadata: metadata.labels: Invalid value: "b c": a valid label must be/,
    );
    expect(() => ask(made({ ...same, annotations: { 'a b': '' } }), 'one')).toThrow(
      /^metadata: metadata.annotation: Invalid value: "a b": name part must consist/,
    );
  });
});
