import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from '../object.js';
import { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { applyPatch, newApplyConflict, trackUpdate } from './apply-patch.js';
import type { ApplyResult } from './apply-patch.js';
import { formatFieldsV1, parseFieldsV1 } from './field-set.js';

const file = new URL('../../../api/src/gen/schemas.json', import.meta.url);
const registry = new SchemaRegistry(
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, Schema>,
);
const common = {
  registry,
  schemaName: 'io.k8s.api.apps.v1.Deployment',
  apiVersion: 'apps/v1',
  now: '2024-01-01T00:00:00Z',
};

const deployment = (spec: object, labels?: Record<string, string>): KubeObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', ...(labels ? { labels } : {}) },
    spec,
  }) as KubeObject;
const containers = (...list: object[]): object => ({ template: { spec: { containers: list } } });
const apply = (
  live: KubeObject | undefined,
  patch: KubeObject,
  manager = 'a',
  force = false,
): ApplyResult => applyPatch({ ...common, live, patch, manager, force });
const applied = (...args: Parameters<typeof apply>): KubeObject => {
  const { object, conflicts } = apply(...args);
  if (!object) throw newApplyConflict(conflicts);
  return object;
};
const specOf = (object: KubeObject): unknown => (object as { spec?: unknown }).spec;
const fieldsOf = (object: KubeObject, manager: string): unknown =>
  object.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1;

describe('applyPatch()', () => {
  it('creates an object and records the fields it names', () => {
    const object = applied(
      undefined,
      deployment({ replicas: 1, ...containers({ name: 'c', image: 'i' }) }, { app: 'x' }),
    );
    expect(fieldsOf(object, 'a')).toEqual({
      'f:metadata': { 'f:labels': { 'f:app': {} } },
      'f:spec': {
        'f:replicas': {},
        'f:template': {
          'f:spec': {
            'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:name': {}, 'f:image': {} } },
          },
        },
      },
    });
    expect(object.metadata.managedFields?.[0]).toMatchObject({
      manager: 'a',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      fieldsType: 'FieldsV1',
      time: common.now,
    });
  });

  it('removes what the manager no longer names and keeps what others own', () => {
    const one = applied(undefined, deployment({ replicas: 1, paused: true }, { a: '1', b: '2' }));
    const two = applied(one, deployment({ paused: true }), 'b');
    const three = applied(two, deployment({ replicas: 1 }, { a: '1' }));
    expect(specOf(three)).toEqual({ replicas: 1, paused: true });
    expect(three.metadata.labels).toEqual({ a: '1' });
  });

  it('removes a list element with its last owner', () => {
    const one = applied(
      undefined,
      deployment(containers({ name: 'c', image: 'i' }, { name: 'd', image: 'j' })),
    );
    const two = applied(one, deployment(containers({ name: 'd', image: 'j' })));
    expect(specOf(two)).toEqual(containers({ name: 'd', image: 'j' }));
  });

  it('reports a conflict, and takes the field when forced', () => {
    const one = applied(undefined, deployment({ replicas: 1 }));
    const refused = apply(one, deployment({ replicas: 2 }), 'b');
    expect(refused.conflicts).toEqual([{ manager: '"a"', field: '.spec.replicas' }]);
    expect(newApplyConflict(refused.conflicts ?? []).message).toBe(
      'Apply failed with 1 conflict: conflict with "a": .spec.replicas',
    );
    const forced = applied(one, deployment({ replicas: 2 }), 'b', true);
    expect(specOf(forced)).toEqual({ replicas: 2 });
    expect(forced.metadata.managedFields?.map((entry) => entry.manager)).toEqual(['b']);
  });

  it('shares a field that both set to the same value', () => {
    const one = applied(undefined, deployment({ replicas: 1 }));
    const two = applied(one, deployment({ replicas: 1 }), 'b');
    expect(two.metadata.managedFields?.map((entry) => entry.manager)).toEqual(['b', 'a']);
  });

  it('changes nothing when applied again later', () => {
    const patch = deployment({ replicas: 1 }, { a: '1' });
    const one = applied(undefined, patch);
    const { object } = applyPatch({
      ...common,
      now: '2025-01-01T00:00:00Z',
      live: one,
      patch,
      manager: 'a',
      force: false,
    });
    expect(object).toEqual(one);
  });
});

describe('trackUpdate()', () => {
  const create = trackUpdate({
    ...common,
    manager: 'kubectl',
    new: deployment({ replicas: 1, ...containers({ name: 'c', image: 'i' }) }, { app: 'x' }),
  });

  it('gives a creator its fields, as upstream marks them', () => {
    expect(fieldsOf(create, 'kubectl')).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': {
        'f:replicas': {},
        'f:template': {
          'f:spec': {
            'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:name': {}, 'f:image': {} } },
          },
        },
      },
    });
  });

  it('moves a changed field to the updater, and conflicts name it', () => {
    const scaled = trackUpdate({
      ...common,
      manager: 'hpa',
      subresource: 'scale',
      old: create,
      new: { ...create, spec: { ...(specOf(create) as object), replicas: 5 } } as KubeObject,
    });
    expect(fieldsOf(scaled, 'hpa')).toEqual({ 'f:spec': { 'f:replicas': {} } });
    expect(fieldsOf(scaled, 'kubectl')).not.toHaveProperty(['f:spec', 'f:replicas']);
    expect(apply(scaled, deployment({ replicas: 2 })).conflicts).toEqual([
      {
        manager: '"hpa" with subresource "scale" using apps/v1',
        field: '.spec.replicas',
      },
    ]);
  });

  it('forgets removed fields and resets on one empty entry', () => {
    const without = trackUpdate({ ...common, manager: 'x', old: create, new: deployment({}) });
    expect(without.metadata.managedFields).toEqual([]);
    const reset = trackUpdate({
      ...common,
      manager: 'x',
      old: create,
      new: { ...create, metadata: { name: 'd', managedFields: [{}] } },
    });
    expect(reset.metadata.managedFields).toEqual([]);
  });
});

describe('entries of old', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const container = fc.record(
    { name, image: name, ports: fc.uniqueArray(fc.record({ containerPort: fc.nat(3) })) },
    { requiredKeys: ['name'] },
  );
  const object = fc
    .record({
      spec: fc.record(
        { replicas: fc.nat(2), paused: fc.boolean(), selector: fc.dictionary(name, name) },
        { requiredKeys: [] },
      ),
      list: fc.uniqueArray(container, { selector: ({ name: named }) => named, maxLength: 3 }),
      labels: fc.dictionary(name, name),
    })
    .map(({ spec, list, labels }) => deployment({ ...spec, ...containers(...list) }, labels));
  const manager = fc.constantFrom('x', 'y', 'z');
  const writes = fc.array(fc.tuple(object, manager, fc.boolean()), { minLength: 2, maxLength: 5 });

  /** Each write after the one before it; an apply where it says so. */
  const run = (
    list: readonly (readonly [KubeObject, string, boolean])[],
    update: (old: KubeObject | undefined, now: KubeObject, by: string) => KubeObject,
  ): KubeObject | undefined =>
    list.reduce<KubeObject | undefined>(
      (old, [now, by, isApply]) => (isApply ? applied(old, now, by, true) : update(old, now, by)),
      undefined,
    );
  const withEntries = (now: KubeObject, managedFields: unknown): KubeObject =>
    ({ ...now, metadata: { ...now.metadata, managedFields } }) as KubeObject;

  it('come to the same, be they left alone as stored, read as sent, or looked at in steps', () => {
    fc.assert(
      fc.property(writes, (list) => {
        const stored = run(list, (old, now, by) =>
          trackUpdate({ ...common, manager: by, old, new: now }),
        );
        const sent = run(list, (old, now, by) => {
          const entries = old && structuredClone(old.metadata.managedFields);
          const given = entries ? withEntries(now, entries) : now;
          return trackUpdate({ ...common, manager: by, old, new: given });
        });
        const slow = run(list, (old, now, by) =>
          trackUpdate({ ...common, isLarge: true, manager: by, old, new: now }),
        );
        expect(sent?.metadata.managedFields).toEqual(stored?.metadata.managedFields);
        expect(slow?.metadata.managedFields).toEqual(stored?.metadata.managedFields);
      }),
    );
  });
});

describe('parseFieldsV1()', () => {
  it('reads back what formatFieldsV1 prints, and survives any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = formatFieldsV1(parseFieldsV1(value));
        expect(formatFieldsV1(parseFieldsV1(once))).toEqual(once);
      }),
    );
  });
});

describe('in slices', () => {
  const config = (names: readonly string[], extra: object = {}): KubeObject =>
    ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c', labels: { a: 'b' }, finalizers: names.map((name) => `x/${name}`) },
      data: Object.fromEntries(names.map((name) => [name, name])),
      ...extra,
    }) as KubeObject;
  const names = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => `k${from + i}`);
  const whole = { ...common, schemaName: 'io.k8s.api.core.v1.ConfigMap', apiVersion: 'v1' };

  it('comes to what it comes to in one go', () => {
    const [first, second] = [config(names(0, 5000)), config(names(2500, 7000))];
    const [plain, sliced] = [false, true].map((isLarge) => {
      const tracked = trackUpdate({ ...whole, isLarge, manager: 'a', old: undefined, new: first });
      const changed = trackUpdate({ ...whole, isLarge, manager: 'b', old: tracked, new: second });
      const options = { ...whole, isLarge, manager: 'c', live: changed };
      const conflicts = applyPatch({ ...options, patch: first, force: false });
      return { changed, conflicts, forced: applyPatch({ ...options, patch: first, force: true }) };
    });
    expect(sliced?.conflicts.conflicts ?? sliced?.conflicts.object).toBeDefined();
    expect(JSON.stringify(sliced)).toBe(JSON.stringify(plain));
  });
});
