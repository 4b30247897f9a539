import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import type { KindContext, KindDescriptor } from './kind.js';
import { kinds } from './kinds.js';
import { objectsOf } from './objects-of.fixture.js';
import { removedKinds } from './removed/removed-kinds.js';

/** What every JavaScript object answers to. */
const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', 'prototype'];

const NOW = Date.parse('2026-01-02T03:04:05Z');

/** As JSON.parse sets it: `__proto__` is a key like any other. */
const put = (object: object, key: string, value: unknown): void => {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
};

/** The value with such names for some of its texts, and as keys of its maps. */
function poisoned(value: unknown, next: () => number, at = ''): unknown {
  const name = NAMES[Math.floor(next() * NAMES.length)] ?? '';
  if (typeof value === 'string') return next() < 0.5 ? name : value;
  if (Array.isArray(value)) return value.map((item) => poisoned(item, next, at));
  if (typeof value !== 'object' || value === null) return value;
  const out = {};
  for (const [key, inner] of Object.entries(value)) put(out, key, poisoned(inner, next, key));
  const values = Object.values(value);
  const isMap = values.length > 0 && values.every((inner) => typeof inner === typeof values[0]);
  if (isMap && at !== '') put(out, name, poisoned(values[0], next, at));
  return out;
}

/** A small deterministic generator, so that a failure can be repeated. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** All that hooks of a kind say about an object. */
function said(kind: KindDescriptor, object: KubeObject, old: KubeObject): unknown[] {
  const out: unknown[] = [];
  const context: KindContext = { now: '2026-01-02T03:04:05Z', warn: (text) => out.push(text) };
  kind.setDefaults?.(object);
  for (const strategy of [kind.strategy, kind.status, ...Object.values(kind.subresources ?? {})]) {
    strategy?.prepareForCreate?.(structuredClone(object), context);
    const updated = structuredClone(object);
    strategy?.prepareForUpdate?.(updated, old, context);
    out.push(strategy?.validate?.(object, context).map(({ message }) => message));
    out.push(strategy?.validateUpdate?.(updated, old, context).map(({ message }) => message));
  }
  out.push(Object.values(kind.selectableFields?.(object) ?? {}));
  out.push(kind.columns.row(object, NOW));
  return out;
}

/** Versions whose fields are called otherwise than now. */
const removedWithShapes = removedKinds.filter(
  ({ kind, version }) =>
    /^(?:CustomRes|Horiz|Ingress$|EndpointSl)/.test(kind) && version.includes('beta1'),
);

const OF_JAVASCRIPT = /.{0,40}(?:native code|\[object ).{0,9}/gsu;

describe('names that JavaScript objects answer to', () => {
  it.each(
    [...kinds, ...removedWithShapes].map(
      (kind) => [`${kind.group}/${kind.version}`, kind.kind, kind] as const,
    ),
  )('are values and keys like others in %s %s', (_version, _kind, kind) => {
    const next = numbers(7);
    for (const sample of fc.sample(objectsOf(kind), { seed: 7, numRuns: 5 })) {
      const object = poisoned({ spec: {}, ...sample }, next) as KubeObject;

      const old = poisoned({ spec: {}, ...sample }, next) as KubeObject;

      expect(JSON.stringify(said(kind, object, old)).match(OF_JAVASCRIPT) ?? []).toEqual([]);
    }
  });
});
