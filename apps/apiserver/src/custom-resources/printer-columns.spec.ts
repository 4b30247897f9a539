import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { printerColumns } from './printer-columns.js';

const NOW = Date.parse('2026-01-01T00:01:00Z');

/** What a column of this type shows of an object. */
const cellOf = (type: string, jsonPath: string, object: object): unknown =>
  printerColumns([{ name: 'X', type, jsonPath }]).row(
    { metadata: { name: 'a' }, ...object } as KubeObject,
    NOW,
  )[1];

describe('printerColumns(): a cell', () => {
  it.each<{ name: string; type: string; path: string; object: object; want: unknown }>([
    {
      name: 'a date that is not there',
      type: 'date',
      path: '.status.when',
      object: {},
      want: null,
    },
    {
      name: 'a date',
      type: 'date',
      path: '.status.when',
      object: { status: { when: '2026-01-01T00:00:00Z' } },
      want: '60s',
    },
    {
      name: 'a date that is none',
      type: 'date',
      path: '.status.when',
      object: { status: { when: 'soon' } },
      want: '<invalid>',
    },
    {
      name: 'a date that is empty',
      type: 'date',
      path: '.status.when',
      object: { status: { when: '' } },
      want: '<unknown>',
    },
    { name: 'a date that is a number', type: 'date', path: '.n', object: { n: 5 }, want: null },
    {
      name: 'the first of many',
      type: 'string',
      path: '.spec.all[*]',
      object: { spec: { all: ['x', 'y'] } },
      want: 'x',
    },
    {
      name: 'a list',
      type: 'string',
      path: '.spec.all',
      object: { spec: { all: ['x', 1] } },
      want: '["x",1]',
    },
    {
      name: 'a map, by its keys',
      type: 'string',
      path: '.spec.m',
      object: { spec: { m: { z: 1, b: { y: 2, a: 3 } } } },
      want: '{"b":{"a":3,"y":2},"z":1}',
    },
    { name: 'a number as a text', type: 'string', path: '.n', object: { n: 5 }, want: '5' },
    { name: 'a text as a number', type: 'integer', path: '.n', object: { n: '5' }, want: null },
  ])('$name', ({ type, path, object, want }) => {
    expect(cellOf(type, path, object)).toBe(want);
  });
});
