import type { FieldError, ObjectMeta } from '@orrery/apimachinery';
import { FieldPath, nameIsPathSegment, validateObjectMeta } from '@orrery/apimachinery';
import { fieldError } from './findings.js';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberSchema } from './structural-schema.js';

const isText = (value: unknown): value is string => typeof value === 'string';

function validateResource(value: Record<string, unknown>, path: string): FieldError[] {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const { apiVersion, kind, metadata } = value;
  const required = (name: string, given: unknown): FieldError[] =>
    isText(given) && given !== ''
      ? []
      : [fieldError('FieldValueRequired', at(name), 'Required value: must not be empty')];
  const meta = metadata === undefined ? {} : metadata;
  return [
    ...required('apiVersion', apiVersion),
    ...required('kind', kind),
    ...(isJsonObject(meta)
      ? validateObjectMeta(
          { name: 'x', ...meta } as unknown as ObjectMeta,
          { namespaced: isText(meta['namespace']), nameValidator: nameIsPathSegment },
          FieldPath.of(at('metadata')),
        )
      : [
          fieldError(
            'FieldValueTypeInvalid',
            at('metadata'),
            `Invalid value: ${JSON.stringify(meta)}: must be an object`,
          ),
        ]),
  ];
}

/** Embedded resources must be objects with a type (apiextensions-apiserver schema/objectmeta:Validate). */
export function validateEmbedded(
  value: unknown,
  schema: StructuralSchema,
  path: string,
): FieldError[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return [];
    return (value as unknown[]).flatMap((one, i) => validateEmbedded(one, items, `${path}[${i}]`));
  }
  if (!isJsonObject(value)) return [];
  const own = schema['x-kubernetes-embedded-resource'] ? validateResource(value, path) : [];
  const below = Object.entries(value).flatMap(([key, member]) => {
    const known = memberSchema(schema, key);
    return known ? validateEmbedded(member, known, path === '' ? key : `${path}.${key}`) : [];
  });
  return [...own, ...below];
}
