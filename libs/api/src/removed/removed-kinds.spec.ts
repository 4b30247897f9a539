import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from '@orrery/apimachinery';
import { ProtobufCodec, toApiVersion } from '@orrery/apimachinery';
import { protobufDescriptor, schemaDefinitions, schemaRegistry } from '../assets.js';
import type { KindDescriptor } from '../kind.js';
import { objectsOf } from '../objects-of.fixture.js';
import { removedKinds } from './removed-kinds.js';

const RUNS = 12;
const codec = new ProtobufCodec(protobufDescriptor(), schemaRegistry());
const schemas = schemaDefinitions();

const nameOf = ({ group, version, plural }: KindDescriptor): string =>
  `${toApiVersion(group, version)} ${plural}`;

const cases = removedKinds.map((kind) => ({ name: nameOf(kind), kind }));

/** What these cannot say of the current version no legal object has: two ports of one backend, a utilization of a Pods metric. */
const ILLEGAL_MAY_CHANGE = new Set([
  'networking.k8s.io/v1beta1 ingresses',
  'extensions/v1beta1 ingresses',
  'autoscaling/v2beta1 horizontalpodautoscalers',
]);

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
};

/** As it comes off the wire: through protobuf, which knows the fields of the version and no others. */
const asSent = (object: KubeObject): KubeObject =>
  codec.decode(codec.encode(object)).object as unknown as KubeObject;

/** Without objects that say nothing, which Go's structs are. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value)
    .map(([name, inner]): [string, unknown] => [name, pruned(inner)])
    .filter(([, inner]) => JSON.stringify(inner) !== '{}');
  return Object.fromEntries(fields);
}

describe.each(cases)('$name', ({ kind }) => {
  const hub = kind.hub as KindDescriptor;
  const conversion = kind.storageConversion as NonNullable<KindDescriptor['storageConversion']>;

  const holds = (of: KindDescriptor, property: (object: KubeObject) => void): void => {
    fc.assert(fc.property(objectsOf(of), property), { numRuns: RUNS, seed: 231 });
  };

  it('has a definition and a message, of itself and of its list', () => {
    expect(schemas[kind.schema]).toBeDefined();
    expect(schemas[`${kind.schema}List`]).toBeDefined();
    const apiVersion = toApiVersion(kind.group, kind.version);
    const list = { kind: `${kind.kind}List`, apiVersion, metadata: {}, items: [] };
    expect(() => codec.encode(list as KubeObject)).not.toThrow();
  });

  it('loses nothing that it knows on the way to storage and back', () => {
    holds(kind, (object) => {
      const sent = asSent(object);
      kind.setDefaults?.(sent);
      const there = conversion.toStorage(freeze(structuredClone(sent)));
      const back = conversion.fromStorage(freeze(there));
      expect(pruned(asSent(back))).toEqual(pruned(asSent(sent)));
    });
  });

  it('is stored with the kind and fields of the current version alone', () => {
    holds(kind, (object) => {
      const sent = asSent(object);
      kind.setDefaults?.(sent);
      const stored = conversion.toStorage(sent);
      expect(stored.kind).toBe(kind.kind);
      expect(stored.apiVersion).toBe(toApiVersion(conversion.group, conversion.version));
      const shown = hub.storageConversion ? hub.storageConversion.fromStorage(stored) : stored;
      expect(schemaRegistry().checkFields(shown, hub.schema).unknownFields).toEqual([]);
    });
  });

  it('keeps its defaults when they are set again', () => {
    holds(kind, (object) => {
      const once = asSent(object);
      kind.setDefaults?.(once);
      const twice = structuredClone(once);
      kind.setDefaults?.(twice);
      expect(twice).toEqual(once);
    });
  });

  it('brings objects of the current version back from its own shape', () => {
    holds(hub, (object) => {
      const sent = asSent(object);
      hub.setDefaults?.(sent);
      const stored = hub.storageConversion ? hub.storageConversion.toStorage(sent) : sent;
      const returned = (one: KubeObject): KubeObject =>
        conversion.toStorage(conversion.fromStorage(freeze(structuredClone(one))));
      const once = returned(stored);
      const same = ILLEGAL_MAY_CHANGE.has(nameOf(kind)) ? once : stored;
      expect(pruned(once)).toEqual(pruned(same));
      expect(pruned(returned(once))).toEqual(pruned(once));
    });
  });
});
