import { describe, expect, it } from '@jest/globals';
import { describeChange, diffObjects, isNoise, shortValue } from './diff.js';

interface Case {
  readonly name: string;
  readonly from: object;
  readonly to: object;
  readonly want: readonly string[];
}

const told = (from: object, to: object): string[] =>
  diffObjects(from, to).map((change) => describeChange(change));

describe('diffObjects()', () => {
  it.each<Case>([
    { name: 'nothing', from: { a: 1 }, to: { a: 1 }, want: [] },
    {
      name: 'a value',
      from: { spec: { replicas: 1 } },
      to: { spec: { replicas: 3 } },
      want: ['spec.replicas: 1 -> 3'],
    },
    { name: 'a field that came', from: { a: {} }, to: { a: { b: 'x' } }, want: ['+a.b: x'] },
    { name: 'a field that went', from: { a: { b: true } }, to: { a: {} }, want: ['-a.b: true'] },
    {
      name: 'a label with dots and slashes',
      from: { metadata: { labels: {} } },
      to: { metadata: { labels: { 'app.io/name': 'x' } } },
      want: ['+metadata.labels[app.io/name]: x'],
    },
    {
      name: 'elements told apart by name, wherever they stand',
      from: {
        c: [
          { name: 'a', image: '1' },
          { name: 'b', image: '1' },
        ],
      },
      to: {
        c: [
          { name: 'b', image: '2' },
          { name: 'a', image: '1' },
        ],
      },
      want: ['c[b].image: 1 -> 2'],
    },
    {
      name: 'conditions told apart by type',
      from: { conditions: [{ type: 'Ready', status: 'False' }] },
      to: { conditions: [{ type: 'Ready', status: 'True' }] },
      want: ['conditions[Ready].status: False -> True'],
    },
    {
      name: 'elements without names, by their place',
      from: { args: ['a', 'b'] },
      to: { args: ['a', 'c', 'd'] },
      want: ['args[1]: b -> c', '+args[2]: d'],
    },
    {
      name: 'two elements of one name, by their place',
      from: {
        p: [
          { name: 'x', v: 1 },
          { name: 'x', v: 2 },
        ],
      },
      to: {
        p: [
          { name: 'x', v: 1 },
          { name: 'x', v: 3 },
        ],
      },
      want: ['p[1].v: 2 -> 3'],
    },
    { name: 'null and absent', from: { a: null }, to: {}, want: ['-a: null'] },
    { name: 'an object that became a list', from: { a: {} }, to: { a: [] }, want: ['a: {} -> []'] },
    {
      name: 'nothing of the bookkeeping',
      from: { metadata: { resourceVersion: '1', managedFields: [{ manager: 'a' }] } },
      to: { metadata: { resourceVersion: '2', managedFields: [] } },
      want: [],
    },
  ])('tells of $name', ({ from, to, want }) => {
    expect(told(from, to)).toEqual(want);
  });

  it('tells that a Secret changed, and not to what', () => {
    const secret = (password: string): object => ({
      kind: 'Secret',
      metadata: {
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': `{"data":"${password}"}`,
        },
      },
      data: { user: 'dXNlcg==', password },
    });
    const changes = told(secret('b2xk'), secret('bmV3'));
    expect(changes).toEqual(['data.password: *** (before) -> *** (after)']);
    expect(
      JSON.stringify(diffObjects({ ...secret('b2xk'), data: {} }, secret('bmV3'))),
    ).not.toMatch(/bmV3/);
  });

  it('is quick on wide objects', () => {
    const wide = (n: number): object => ({
      items: Array.from({ length: 20_000 }, (_, i) => ({ name: `n${i}`, v: i === 7 ? n : i })),
    });
    expect(told(wide(1), wide(2))).toEqual(['items[n7].v: 1 -> 2']);
  });
});

describe('isNoise()', () => {
  it.each([
    ['status.observedGeneration', true],
    ['status.conditions[Ready].lastTransitionTime', true],
    ['status.conditions[Ready].status', false],
    ['spec.generation', true],
    ['spec.regeneration', false],
  ])('%s: %s', (path, want) => {
    expect(isNoise({ path })).toBe(want);
  });
});

describe('shortValue()', () => {
  it.each<[unknown, string]>([
    ['two\nlines', 'two lines'],
    [{ a: 1 }, '{"a":1}'],
    [null, 'null'],
    ['x'.repeat(70), `${'x'.repeat(59)}…`],
  ])('shortens %j', (value, want) => {
    expect(shortValue(value)).toBe(want);
  });
});
