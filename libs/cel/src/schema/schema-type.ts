import { escapeName } from '../types/escaping.js';
import type { CelType, ObjectField } from '../types/type.js';
import { celTypes } from '../types/type.js';
import type { RuleSchema } from './structural.js';

/** Largest request in bytes, which bounds what a schema leaves open (k8s apiserver pkg/cel/limits.go). */
export const MAX_REQUEST_BYTES = 3 * 1024 * 1024;

/** A type, and the fewest bytes that a value of it takes in JSON. */
export interface DeclaredType {
  readonly type: CelType;
  readonly minBytes: number;
}

const STRING: RuleSchema = { type: 'string' };
const META: RuleSchema = { type: 'object', properties: { name: STRING, generateName: STRING } };

/** Root and embedded resources always have these, whatever the schema says. */
function withTypeAndMeta(schema: RuleSchema): RuleSchema {
  const given = schema.properties?.['metadata'];
  const metadata: RuleSchema = {
    ...META,
    properties: { ...given?.properties, name: STRING, generateName: STRING },
  };
  const properties = { ...schema.properties, kind: STRING, apiVersion: STRING, metadata };
  return { ...schema, properties };
}

const sized = (
  kind: 'string' | 'bytes' | 'dyn' | 'duration' | 'timestamp',
  maxSize: number,
): CelType => ({
  kind,
  maxSize,
});

const OPEN_STRING = MAX_REQUEST_BYTES - 2;

function stringType({ format, maxLength, enum: values }: RuleSchema): DeclaredType {
  const declared = maxLength === undefined ? undefined : Math.max(maxLength, 0);
  switch (format) {
    case 'byte':
      return { type: sized('bytes', declared ?? OPEN_STRING), minBytes: 2 };
    case 'duration':
      return { type: sized('duration', 32), minBytes: 3 };
    case 'date':
      return { type: sized('timestamp', 12), minBytes: 12 };
    case 'date-time':
      return { type: sized('timestamp', 32), minBytes: 21 };
    default:
  }
  const longest = (values ?? []).map((one) =>
    typeof one === 'string' ? Buffer.byteLength(one) : 0,
  );
  const open = longest.length > 0 ? Math.max(...longest) : OPEN_STRING;
  return { type: sized('string', declared === undefined ? open : declared * 4), minBytes: 2 };
}

function arrayType(schema: RuleSchema, name: string): DeclaredType | undefined {
  const { items, maxItems } = schema;
  const element =
    items && schemaType(items, items['x-kubernetes-embedded-resource'], `${name}.@idx`);
  if (!element) return undefined;
  const open = Math.floor((MAX_REQUEST_BYTES - 2) / (element.minBytes + 1));
  const listType = schema['x-kubernetes-list-type'];
  return {
    type: {
      kind: 'list',
      element: element.type,
      maxSize: maxItems === undefined ? open : Math.max(maxItems, 0),
      ...(listType === 'set' || listType === 'map' ? { listType } : {}),
      ...(listType === 'map' ? { mapKeys: schema['x-kubernetes-list-map-keys'] ?? [] } : {}),
    },
    minBytes: 2,
  };
}

function mapType(values: RuleSchema, schema: RuleSchema, name: string): DeclaredType | undefined {
  const value = schemaType(values, values['x-kubernetes-embedded-resource'], `${name}.@elem`);
  if (!value) return undefined;
  const open = Math.floor((MAX_REQUEST_BYTES - 2) / (value.minBytes + 6));
  const { maxProperties } = schema;
  const maxSize = maxProperties === undefined ? open : Math.max(maxProperties, 0);
  // Upstream has no bound for keys, and counts them as nothing.
  return {
    type: { kind: 'map', key: sized('string', 0), value: value.type, maxSize },
    minBytes: 2,
  };
}

function objectType(schema: RuleSchema, name: string): DeclaredType {
  const required = new Set(schema.required ?? []);
  const fields = new Map<string, ObjectField>();
  let minBytes = 2;
  for (const [jsonName, member] of Object.entries(schema.properties ?? {})) {
    const found = schemaType(
      member,
      member['x-kubernetes-embedded-resource'],
      `${name}.${jsonName}`,
    );
    if (!found) continue;
    const escaped = escapeName(jsonName);
    const isRequired = required.has(jsonName);
    if (escaped !== undefined)
      fields.set(escaped, { type: found.type, jsonName, required: isRequired });
    if (isRequired && member.default === undefined)
      minBytes += jsonName.length + found.minBytes + 4;
  }
  return { type: { kind: 'object', name, fields }, minBytes };
}

/**
 * The type under which expressions know values of a schema; undefined when they do not
 * (k8s apiserver pkg/cel/common/schemas.go:SchemaDeclType).
 */
export function schemaType(
  schema: RuleSchema,
  isResource = false,
  name = 'selfType',
): DeclaredType | undefined {
  if (schema['x-kubernetes-int-or-string']) {
    const { maxLength } = schema;
    return {
      type: sized('dyn', maxLength === undefined ? OPEN_STRING : maxLength * 4),
      minBytes: 1,
    };
  }
  const { additionalProperties } = schema;
  switch (schema.type) {
    case 'array':
      return arrayType(schema, name);
    case 'object':
      if (typeof additionalProperties === 'object')
        return mapType(additionalProperties, schema, name);
      return objectType(isResource ? withTypeAndMeta(schema) : schema, name);
    case 'string':
      return stringType(schema);
    case 'boolean':
      return { type: celTypes.bool, minBytes: 4 };
    case 'number':
      return { type: celTypes.double, minBytes: 1 };
    case 'integer':
      return { type: celTypes.int, minBytes: 1 };
    default:
      return undefined;
  }
}
