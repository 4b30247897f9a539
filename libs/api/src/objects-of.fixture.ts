import fc from 'fast-check';
import type { KubeObject, Schema } from '@orrery/apimachinery';
import { schemaDefinitions } from './assets.js';
import type { KindDescriptor } from './kind.js';

const MAX_DEPTH = 7;

const schemas = schemaDefinitions();

type Values = fc.Arbitrary<unknown>;

const date = fc.date({
  min: new Date('2001-01-01T00:00:00Z'),
  max: new Date('2099-01-01T00:00:00Z'),
  noInvalidDate: true,
});
const seconds = date.map((at) => at.toISOString().replace(/\.\d+Z$/, 'Z'));
const micros = date.map((at) => at.toISOString().replace('Z', '123Z'));
const key = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/);
const text = fc.oneof(key, fc.string({ minLength: 1, unit: 'grapheme' }));

/** Types whose JSON is more than their schema says. */
const SPECIAL: Readonly<Record<string, Values>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': fc.constantFrom('1', '100m', '1Gi', '2500M'),
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': seconds,
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': micros,
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': fc.oneof(fc.integer({ min: 1 }), key),
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': fc.constant({ 'f:a': {} }),
  'io.k8s.apimachinery.pkg.runtime.RawExtension': fc.constant({ kind: 'X', a: [1, 'b'] }),
};

/** Only what Go writes: zero values are left out of its JSON. */
function scalars({ type, format }: Schema): Values | undefined {
  if (type === 'boolean') return fc.constant(true);
  if (type === 'integer') return fc.integer({ min: 1, max: 2 ** 31 - 1 });
  if (type !== 'string') return undefined;
  if (format !== 'byte') return text;
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 9 });
  return bytes.map((each) => Buffer.from(each).toString('base64'));
}

const TYPE_META = ['apiVersion', 'kind'];

/** Objects within objects, such as claim templates, have no place for their type in protobuf. */
function fields(properties: Readonly<Record<string, Schema>>, depth: number): Values {
  const isInner = depth > 0 && properties['metadata'] !== undefined;
  const model = Object.entries(properties).flatMap(([name, child]) => {
    if (isInner && TYPE_META.includes(name)) return [];
    const values = valuesOf(child, depth + 1);
    return values ? [[name, values] as const] : [];
  });
  if (model.length === 0) return fc.constant({});
  return fc.record(Object.fromEntries(model), { requiredKeys: [] });
}

function valuesOf(schema: Schema, depth: number): Values | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const name = schema.$ref?.replace('#/definitions/', '');
  if (name !== undefined) {
    const special = SPECIAL[name];
    const named = schemas[name];
    return special ?? (named && valuesOf(named, depth));
  }
  const scalar = scalars(schema);
  if (scalar) return scalar;
  if (schema.type === 'array') {
    const items = valuesOf(schema.items ?? {}, depth + 1);
    return items && fc.array(items, { minLength: 1, maxLength: 2 });
  }
  if (schema.properties) return fields(schema.properties, depth);
  if (typeof schema.additionalProperties !== 'object') return undefined;
  const values = valuesOf(schema.additionalProperties, depth + 1);
  return values && fc.dictionary(key, values, { minKeys: 1, maxKeys: 2 });
}

/** Any objects of a kind that Go could write, by its schema. */
export function objectsOf(kind: KindDescriptor): fc.Arbitrary<KubeObject> {
  const values = valuesOf(schemas[kind.schema] ?? {}, 0) ?? fc.constant({});
  const apiVersion = kind.group ? `${kind.group}/${kind.version}` : kind.version;
  return values.map((value) => {
    const object = value as KubeObject;
    return {
      ...object,
      apiVersion,
      kind: kind.kind,
      metadata: { name: 'web', ...object.metadata },
    };
  });
}
