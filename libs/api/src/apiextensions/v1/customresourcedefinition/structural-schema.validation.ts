import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, required } from '@orrery/apimachinery';
import type { JSONSchemaProps } from '../../../types.js';
import { entries, list } from '../../../meta/list.js';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
/** Deep enough for any real schema; what is nested deeper is refused. */
const MAX_DEPTH = 64;

const isSchema = (value: unknown): value is JSONSchemaProps =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function validateType(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  const { type } = schema;
  const isFree =
    schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  if (!type) {
    return isFree
      ? []
      : [required(path.child('type'), 'must not be empty for specified object fields')];
  }
  if (!TYPES.includes(type)) {
    return [invalid(path.child('type'), type, `must be one of ${TYPES.join(', ')}`)];
  }
  return [];
}

function validateShape(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  return [
    ...(schema.$ref ? [forbidden(path.child('$ref'), '$ref is not supported')] : []),
    ...(schema.properties && schema.additionalProperties
      ? [
          forbidden(
            path.child('additionalProperties'),
            'additionalProperties and properties are mutual exclusive',
          ),
        ]
      : []),
    ...(schema.type === 'array' && !schema.items
      ? [required(path.child('items'), 'must be specified')]
      : []),
    ...(schema['x-kubernetes-list-type'] === 'map' &&
    list(schema['x-kubernetes-list-map-keys']).length === 0
      ? [
          required(
            path.child('x-kubernetes-list-map-keys'),
            'must not be empty if x-kubernetes-list-type is map',
          ),
        ]
      : []),
  ];
}

function validateNode(schema: JSONSchemaProps, path: FieldPath, depth: number): FieldError[] {
  if (depth > MAX_DEPTH) return [forbidden(path, 'is nested too deeply')];
  const { properties, items, additionalProperties } = schema;
  return [
    ...validateType(schema, path),
    ...validateShape(schema, path),
    ...entries(properties).flatMap(([name, child]) =>
      isSchema(child) ? validateNode(child, path.child('properties').key(name), depth + 1) : [],
    ),
    ...(isSchema(items) ? validateNode(items, path.child('items'), depth + 1) : []),
    ...(isSchema(additionalProperties)
      ? validateNode(additionalProperties, path.child('additionalProperties'), depth + 1)
      : []),
  ];
}

/** The rules of a structural schema (k8s apiextensions-apiserver pkg/apiserver/schema/validation.go), the main ones. */
export function validateStructuralSchema(schema: JSONSchemaProps, path: FieldPath): FieldError[] {
  return [
    ...(schema.type !== undefined && schema.type !== 'object'
      ? [invalid(path.child('type'), schema.type, 'must be object at the root')]
      : []),
    ...validateNode(schema, path, 0),
  ];
}
