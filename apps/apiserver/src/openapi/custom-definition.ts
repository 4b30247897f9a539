import { setOwn } from '@orrery/apimachinery';
import type { ServedResource } from '../rest/resource-catalog.js';

type Node = Readonly<Record<string, unknown>>;

const CONVENTIONS =
  'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';
const OBJECT_META = '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const PRESERVE = 'x-kubernetes-preserve-unknown-fields';
const EMBEDDED = 'x-kubernetes-embedded-resource';

/** OpenAPI v2 cannot say these. */
const NO_JUNCTORS = {
  allOf: undefined,
  oneOf: undefined,
  anyOf: undefined,
  not: undefined,
  nullable: undefined,
};

const METADATA = {
  description: `Standard object's metadata. More info: ${CONVENTIONS}#metadata`,
  $ref: OBJECT_META,
};

const OBJECT_FIELDS = {
  apiVersion: {
    type: 'string',
    description: `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${CONVENTIONS}#resources`,
  },
  kind: {
    type: 'string',
    description: `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
  },
  metadata: METADATA,
};

const EMBEDDED_FIELDS = {
  apiVersion: {
    type: 'string',
    description: `apiVersion defines the versioned schema of this representation of an object. More info: ${CONVENTIONS}#resources`,
  },
  kind: {
    type: 'string',
    description: `kind is a string value representing the type of this object. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
  },
  metadata: METADATA,
};

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

function mapValues(value: unknown, map: (node: Node) => Node): unknown {
  if (!isNode(value)) return value;
  const mapped: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const one = value[name];
    setOwn(mapped, name, isNode(one) ? map(one) : one);
  }
  return mapped;
}

const isNullable = (value: unknown): boolean => isNode(value) && value['nullable'] === true;

/** The required fields that a client of v2 may be held to: none that can be null. */
function requiredIn(node: Node): unknown {
  const { required, properties, additionalProperties } = node;
  if (!Array.isArray(required) || isNullable(additionalProperties)) return undefined;
  const fields = isNode(properties) ? properties : {};
  const left = required.filter((name: unknown) => !isNullable(fields[String(name)]));
  return left.length === 0 ? undefined : left;
}

/** The type that kubectl can do with; none for what may be null, for open objects and for arrays of whatever. */
function typeIn(node: Node, items: unknown): unknown {
  const { type } = node;
  const isOpenObject = node[PRESERVE] === true && type === 'object';
  return isNullable(node) || isOpenObject || (type === 'array' && items === undefined)
    ? undefined
    : type;
}

function kept(entries: Readonly<Record<string, unknown>>): Node {
  const left: Record<string, unknown> = {};
  for (const key of Object.keys(entries))
    if (entries[key] !== undefined) setOwn(left, key, entries[key]);
  return left;
}

/** What kubectl understands of a schema (k8s apiextensions controller/openapi/v2/conversion.go:ToStructuralOpenAPIV2). */
function toV2(node: Node): Node {
  const isOpen = node[PRESERVE] === true || isNullable(node);
  const below = (value: unknown): unknown => (isNode(value) ? toV2(value) : value);
  const items = isOpen ? undefined : below(node['items']);
  return kept({
    ...node,
    ...NO_JUNCTORS,
    type: typeIn(node, items),
    items,
    properties: isOpen ? undefined : mapValues(node['properties'], toV2),
    additionalProperties: below(node['additionalProperties']),
    required: requiredIn(node),
  });
}

/** Adds to embedded objects the fields that every object has (builder.go:addEmbeddedProperties). */
function withEmbedded(node: Node, v2: boolean): Node {
  const down = (one: Node): Node => withEmbedded(one, v2);
  const copy: Record<string, unknown> = { ...node };
  if (copy['properties'] !== undefined) copy['properties'] = mapValues(copy['properties'], down);
  for (const key of ['items', 'additionalProperties'])
    if (isNode(copy[key])) copy[key] = down(copy[key]);
  if (node[EMBEDDED] !== true || (v2 && node[PRESERVE] === true)) return copy;
  const required = Array.isArray(copy['required']) ? (copy['required'] as string[]) : [];
  return {
    ...copy,
    properties: { ...(copy['properties'] as object | undefined), ...EMBEDDED_FIELDS },
    required: [...new Set([...required, 'kind', 'apiVersion'])],
  };
}

/**
 * The published definition of a custom kind: its schema with the fields that every object has. Where any field may be
 * there nothing is said in v2, since kubectl takes what it is told for all there is (builder.go:buildKubeNative).
 */
export function customDefinition(
  { kind, custom }: Pick<ServedResource, 'kind' | 'custom'>,
  v2: boolean,
): Record<string, unknown> {
  const schema = custom?.openApiSchema;
  const names = {
    'x-kubernetes-group-version-kind': [
      { group: kind.group, kind: kind.kind, version: kind.version },
    ],
  };
  if (!schema || (v2 && schema[PRESERVE] === true)) return { type: 'object', ...names };
  const published = withEmbedded(v2 ? toV2(schema) : schema, v2);
  return {
    ...published,
    properties: { ...(published['properties'] as object | undefined), ...OBJECT_FIELDS },
    ...names,
  };
}
