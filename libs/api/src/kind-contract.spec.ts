import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { schemaDefinitions } from './assets.js';
import type { KindContext, KindDescriptor } from './kind.js';
import { findKind, groupVersions, kinds } from './kinds.js';
import { minimalObjects } from './minimal-objects.fixture.js';

interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly enum?: readonly string[];
}

const schemas = schemaDefinitions() as Record<string, JsonSchema>;

const NOW = Date.parse('2026-01-02T03:04:05Z');
const context: KindContext = { now: '2026-01-02T03:04:05Z', warn: () => undefined };

/** A small deterministic generator, so that a failure can be repeated. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const WORDS = ['', 'a', 'web', 'Not A Name', '10.0.0.1', '1Gi', '50%', '2026-01-01T00:00:00Z', '*'];

/** JSON in the shape of a schema, as decoding lets it through: any field may be missing, null or out of range. */
function randomValue(schema: JsonSchema, next: () => number, depth: number): unknown {
  if (next() < 0.04) return null;
  const named = schema.$ref ? schemas[schema.$ref.replace('#/definitions/', '')] : undefined;
  if (named) return randomValue(named, next, depth);
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(next() * items.length)];
  if (schema.enum && next() < 0.7) return pick(schema.enum);
  if (schema.type === 'string') return pick(WORDS);
  if (schema.type === 'integer') return pick([-1, 0, 1, 3, 80, 70_000]);
  if (schema.type === 'boolean') return next() < 0.5;
  if (schema.type === 'array') {
    const { items = {} } = schema;
    const size = depth > 7 ? 0 : Math.floor(next() * 3);
    return Array.from({ length: size }, () => randomValue(items, next, depth + 1));
  }
  if (schema.properties) return randomFields(schema.properties, next, depth);
  if (typeof schema.additionalProperties === 'object') {
    return { [pick(WORDS) ?? 'a']: randomValue(schema.additionalProperties, next, depth + 1) };
  }
  return pick<unknown>([1, 'x', {}, '25%']);
}

function randomFields(
  properties: Readonly<Record<string, JsonSchema>>,
  next: () => number,
  depth: number,
): Record<string, unknown> {
  const chance = depth > 6 ? 0.1 : 0.6;
  return Object.fromEntries(
    Object.entries(properties)
      .filter(() => next() < chance)
      .map(([field, child]) => [field, randomValue(child, next, depth + 1)]),
  );
}

function randomObject(kind: KindDescriptor, seed: number): KubeObject {
  const next = numbers(seed);
  const { properties = {} } = schemas[kind.schema] ?? {};
  const fields = Object.entries(properties)
    .filter(() => next() < 0.9)
    .map(([field, schema]) => [field, randomValue(schema, next, 0)]);
  const object = Object.fromEntries(fields) as KubeObject;
  return { ...object, metadata: { name: 'web', namespace: 'default', ...object.metadata } };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

const nameOf = ({ group, version, plural }: KindDescriptor): string =>
  `${group || 'core'}/${version}/${plural}`;

function minimal(kind: KindDescriptor): KubeObject {
  const object = structuredClone(minimalObjects[nameOf(kind)]) as KubeObject | undefined;
  if (!object) throw new Error(`no minimal object of ${nameOf(kind)}`);
  object.metadata = {
    name: 'web',
    ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}),
    ...object.metadata,
    uid: '0d1e6f0c-0000-4000-8000-000000000000',
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  return object;
}

function created(kind: KindDescriptor): KubeObject {
  const object = minimal(kind);
  kind.setDefaults?.(object);
  kind.strategy.prepareForCreate?.(object, context);
  kind.strategy.canonicalize?.(object);
  return object;
}

interface Whole extends KubeObject {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

const SEEDS = Array.from({ length: 60 }, (_, i) => i * 7919 + 1);

/** What every kind of the list must hold to. */
function kindContract(kind: KindDescriptor): void {
  it('names a schema that exists', () => {
    expect(schemas[kind.schema]).toBeDefined();
  });

  it('accepts a minimal object', () => {
    const object = deepFreeze(created(kind));
    expect(kind.strategy.validate?.(object, context) ?? []).toEqual([]);
    expect(kind.strategy.validateUpdate?.(object, object, context) ?? []).toEqual([]);
  });

  it('defaults once and for all', () => {
    for (const seed of SEEDS) {
      const object = randomObject(kind, seed);
      kind.setDefaults?.(object);
      const once = structuredClone(object);
      kind.setDefaults?.(object);
      expect(object).toEqual(once);
    }
  });

  it('validates anything decoding lets through, without throwing and without changing it', () => {
    for (const seed of SEEDS) {
      const object = deepFreeze(randomObject(kind, seed));
      const old = deepFreeze(randomObject(kind, seed + 1));
      for (const finding of [
        ...(kind.strategy.validate?.(object, context) ?? []),
        ...(kind.strategy.validateUpdate?.(object, old, context) ?? []),
        ...(kind.status?.validateUpdate?.(object, old, context) ?? []),
      ]) {
        expect(typeof finding.message).toBe('string');
      }
    }
  });

  it('fills every column of a row', () => {
    for (const seed of SEEDS) {
      const row = kind.columns.row(deepFreeze(randomObject(kind, seed)), NOW);
      expect(row).toHaveLength(kind.columns.columns.length);
      expect(row.filter((cell) => cell === undefined)).toEqual([]);
    }
  });

  it('offers only strings as selectable fields', () => {
    const fields = kind.selectableFields?.(created(kind)) ?? {};
    expect(Object.values(fields).filter((value) => typeof value !== 'string')).toEqual([]);
  });

  if (kind.status) {
    it('keeps status from the main resource and spec from /status', () => {
      const old = created(kind) as Whole;
      old.status = { ...old.status, observedGeneration: 7 };
      const update = structuredClone(old);
      update.status = { observedGeneration: 8 };
      kind.strategy.prepareForUpdate?.(update, deepFreeze(structuredClone(old)), context);
      expect(update.status).toEqual(old.status);
      const statusUpdate = structuredClone(old);
      statusUpdate.spec = { replicas: 99 };
      kind.status?.prepareForUpdate?.(statusUpdate, deepFreeze(structuredClone(old)), context);
      expect(statusUpdate.spec).toEqual(old.spec);
    });
  }

  if (kind.group === 'apps' && kind.plural !== 'controllerrevisions') {
    it('refuses another selector', () => {
      const old = created(kind) as Whole;
      const update = structuredClone(old);
      update.spec = { ...update.spec, selector: { matchLabels: { app: 'web', tier: 'x' } } };
      const findings = kind.strategy.validateUpdate?.(update, old, context) ?? [];
      expect(findings.some(({ field }) => /^spec(\.selector)?$/.test(field))).toBe(true);
    });
  }

  if (kind.scale) {
    it('reads back the replicas that scale sets', () => {
      const object = created(kind);
      kind.scale?.set(object, 5);
      expect(kind.scale?.get(object).replicas).toBe(5);
      expect(kind.scale?.get(object).selector).toBe('app=web');
    });
  }

  if (kind.storageConversion) {
    it('comes back from storage as it went', () => {
      const object = created(kind);
      const conversion = kind.storageConversion;
      const stored = conversion?.toStorage(object) ?? object;
      expect(conversion?.fromStorage(stored)).toMatchObject(object);
    });
  }
}

describe.each(kinds.map((kind) => ({ name: nameOf(kind), kind })))('$name', ({ kind }) => {
  kindContract(kind);
});

describe('kinds', () => {
  it('finds each kind by its resource', () => {
    for (const kind of kinds) {
      expect(findKind(kind.group, kind.version, kind.plural)).toBe(kind);
    }
  });

  it('serves each kind in a listed group version', () => {
    for (const { group, version } of kinds) {
      expect(groupVersions.find((each) => each.group === group)?.versions).toContain(version);
    }
  });
});
