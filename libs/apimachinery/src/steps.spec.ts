import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { cloneSteps } from './clone-json.js';
import { formatFieldsV1, formatSteps, parseFieldsV1 } from './managed-fields/field-set.js';
import { applyMergePatch, mergePatchSteps } from './patch/merge-patch.js';
import {
  applyStrategicMergePatch,
  strategicMergePatchSteps,
} from './patch/strategic-merge-patch.js';
import { SchemaRegistry } from './schema/schema-registry.js';
import type { Schema } from './schema/schema.js';
import type { Steps } from './steps.js';

const file = new URL('../../api/src/gen/schemas.json', import.meta.url);
const registry = new SchemaRegistry(
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, Schema>,
);
const POD = 'io.k8s.api.core.v1.Pod';
const MAP = 'io.k8s.api.core.v1.ConfigMap';
const MANY = 10_000;

const fields = (count: number, name: string, value: unknown): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, value]));
const env = (count: number, name: string): object => ({
  spec: {
    containers: [
      { name: 'c', env: Array.from({ length: count }, (_, i) => ({ name: `${name}${i}` })) },
    ],
  },
});

/** What steps come to, and how often others may have their turn meanwhile. */
function counted<T>(steps: Steps<T>): { value: T; turns: number } {
  for (let turns = 0; ; turns += 1) {
    const { done, value } = steps.next();
    if (done) return { value, turns };
  }
}

const wide = { a: fields(MANY, 'k', 'v'), list: Array.from({ length: MANY }, (_, i) => ({ i })) };
const owned = parseFieldsV1({ 'f:data': { '.': {}, ...fields(MANY, 'f:k', {}) } });
const change = { data: fields(MANY, 'n', 'v') };

describe('work in steps', () => {
  it.each<{ name: string; steps: () => Steps<unknown>; want: unknown }>([
    { name: 'a copy', steps: () => cloneSteps(wide), want: wide },
    {
      name: 'managed fields',
      steps: () => formatSteps(owned),
      want: formatFieldsV1(owned),
    },
    {
      name: 'a merge patch',
      steps: () => mergePatchSteps(wide, { b: 1 }),
      want: applyMergePatch(wide, { b: 1 }),
    },
    {
      name: 'a strategic patch of a map',
      steps: () => strategicMergePatchSteps({ data: { a: 'b' } }, change, registry, MAP),
      want: { data: { a: 'b', ...change.data } },
    },
    {
      name: 'a strategic patch of a list',
      steps: () => strategicMergePatchSteps(env(4000, 'E'), env(MANY, 'S'), registry, POD),
      want: applyStrategicMergePatch(env(4000, 'E'), env(MANY, 'S'), registry, POD),
    },
  ])('lets others have their turn: $name', ({ steps, want }) => {
    const { value, turns } = counted(steps());
    expect(value).toEqual(want);
    expect(turns).toBeGreaterThan(MANY / 2500);
  });

  it('writes the fields of a node where it stands, itself first', () => {
    const text = JSON.stringify(counted(formatSteps(owned)).value);
    expect(text.startsWith('{"f:data":{".":{},"f:k0":{}')).toBe(true);
  });
});

describe('cloneSteps()', () => {
  it('shares nothing, and takes any name for data', () => {
    const given = JSON.parse('{"__proto__":{"a":[{"b":1}]},"c":null}') as Record<string, unknown>;
    const { value } = counted(cloneSteps(given));
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":[{"b":1}]},"c":null}');
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).not.toBe(
      Object.getOwnPropertyDescriptor(given, '__proto__')?.value,
    );
  });
});
