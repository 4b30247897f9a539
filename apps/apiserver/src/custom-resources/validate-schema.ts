import type { FieldError } from '@orrery/apimachinery';
import { fieldError as finding, invalidValue as invalid } from './findings.js';
import { matchesRegex, regexProblem } from '@orrery/cel';
import { equalJson } from '@orrery/registry';
import { isUnchanged, oldElements, oldMember } from './correlation.js';
import { hasFormat } from './string-formats.js';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberOf, memberSchema } from './structural-schema.js';

type Found = FieldError[];

const print = (value: unknown): string => JSON.stringify(value);

/** The JSON type of a value, as OpenAPI names it. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function hasType(value: unknown, schema: StructuralSchema): boolean {
  const actual = typeOf(value);
  if (value === null) return schema.nullable === true;
  if (schema['x-kubernetes-int-or-string']) return actual === 'integer' || actual === 'string';
  if (!schema.type) return true;
  return schema.type === actual || (schema.type === 'number' && actual === 'integer');
}

function checkType(value: unknown, schema: StructuralSchema, path: string): Found {
  if (hasType(value, schema)) return [];
  const wanted = schema['x-kubernetes-int-or-string']
    ? 'integer,string'
    : (schema.type ?? 'object');
  const actual = typeOf(value);
  return [
    finding(
      'FieldValueTypeInvalid',
      path,
      `Invalid value: ${JSON.stringify(actual)}: ${path} in body must be of type ${wanted}: ${JSON.stringify(actual)}`,
    ),
  ];
}

function checkEnum(value: unknown, schema: StructuralSchema, path: string): Found {
  const { enum: allowed } = schema;
  if (!allowed || allowed.some((one) => equalJson(one, value))) return [];
  const list = allowed.map((one) => print(one)).join(', ');
  return [
    finding(
      'FieldValueNotSupported',
      path,
      `Unsupported value: ${print(value)}: supported values: ${list}`,
    ),
  ];
}

function checkString(value: string, schema: StructuralSchema, path: string): Found {
  const found: Found = [];
  const length = Array.from(value).length;
  const { maxLength, minLength, pattern } = schema;
  if (maxLength !== undefined && length > maxLength) {
    found.push(
      finding('FieldValueTooLong', path, `Too long: may not be more than ${maxLength} bytes`),
    );
  }
  if (minLength !== undefined && length < minLength)
    found.push(invalid(path, value, `${path} in body should be at least ${minLength} chars long`));
  if (pattern !== undefined && regexProblem(pattern) === undefined && !matchesRegex(value, pattern))
    found.push(invalid(path, value, `${path} in body should match '${pattern}'`));
  const { format } = schema;
  if (format !== undefined && !hasFormat(value, format)) {
    const text = `${path} in body must be of type ${format}: ${JSON.stringify(value)}`;
    found.push(invalid(path, value, text));
  }
  return found;
}

function checkNumber(value: number, schema: StructuralSchema, path: string): Found {
  const found: Found = [];
  const { minimum, maximum, multipleOf } = schema;
  const tooSmall =
    minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum);
  const tooLarge =
    maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum);
  const orEqual = (exclusive: boolean | undefined): string => (exclusive ? '' : ' or equal to');
  if (tooSmall) {
    const words = `greater than${orEqual(schema.exclusiveMinimum)} ${minimum}`;
    found.push(invalid(path, value, `${path} in body should be ${words}`));
  }
  if (tooLarge) {
    const words = `less than${orEqual(schema.exclusiveMaximum)} ${maximum}`;
    found.push(invalid(path, value, `${path} in body should be ${words}`));
  }
  if (multipleOf && value % multipleOf !== 0)
    found.push(invalid(path, value, `${path} in body should be a multiple of ${multipleOf}`));
  return found;
}

function checkArray(
  value: readonly unknown[],
  schema: StructuralSchema,
  path: string,
  old: unknown,
): Found {
  const found: Found = [];
  const { minItems, maxItems, items } = schema;
  if (maxItems !== undefined && value.length > maxItems) {
    found.push(
      finding(
        'FieldValueTooMany',
        path,
        `Too many: ${value.length}: must have at most ${maxItems} items`,
      ),
    );
  }
  if (minItems !== undefined && value.length < minItems)
    found.push(invalid(path, value, `${path} in body should have at least ${minItems} items`));
  if (items) {
    const find = oldElements(old, schema);
    value.forEach((item, i) => {
      found.push(...validateBySchema(item, items, `${path}[${i}]`, find(item)));
    });
  }
  return found;
}

function checkObject(
  value: Record<string, unknown>,
  schema: StructuralSchema,
  path: string,
  old: unknown,
): Found {
  const found: Found = [];
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const count = Object.keys(value).length;
  for (const key of schema.required ?? [])
    if (memberOf(value, key) === undefined)
      found.push(finding('FieldValueRequired', at(key), 'Required value'));
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    found.push(
      finding(
        'FieldValueTooMany',
        path,
        `Too many: ${count}: must have at most ${schema.maxProperties} items`,
      ),
    );
  }
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    const text = `${path} in body should have at least ${schema.minProperties} properties`;
    found.push(invalid(path, value, text));
  }
  for (const [key, member] of Object.entries(value)) {
    const known = memberSchema(schema, key);
    if (known && member !== undefined)
      found.push(...validateBySchema(member, known, at(key), oldMember(old, key)));
  }
  return found;
}

function checkCombinations(value: unknown, schema: StructuralSchema, path: string): Found {
  const found: Found = [];
  const name = path === '' ? '' : path;
  const passes = (one: StructuralSchema): boolean =>
    validateBySchema(value, one, path).length === 0;
  for (const one of schema.allOf ?? []) found.push(...validateBySchema(value, one, path));
  if (schema.anyOf && !schema.anyOf.some(passes)) {
    const text = `${JSON.stringify(name)} must validate at least one schema (anyOf)`;
    found.push(invalid(path, value, text));
  }
  if (schema.oneOf) {
    const matching = schema.oneOf.filter(passes).length;
    if (matching !== 1) {
      const words = matching === 0 ? 'Found none valid' : `Found ${matching} valid alternatives`;
      const text = `${JSON.stringify(name)} must validate one and only one schema (oneOf). ${words}`;
      found.push(invalid(path, value, text));
    }
  }
  if (schema.not && passes(schema.not)) {
    const text = `${JSON.stringify(name)} must not validate the schema (not)`;
    found.push(invalid(path, value, text));
  }
  return found;
}

function checkByType(value: unknown, schema: StructuralSchema, path: string, old: unknown): Found {
  if (typeof value === 'string') return checkString(value, schema, path);
  if (typeof value === 'number') return checkNumber(value, schema, path);
  if (Array.isArray(value)) return checkArray(value, schema, path, old);
  return isJsonObject(value) ? checkObject(value, schema, path, old) : [];
}

/**
 * What is wrong with a value by its schema, in the words of apiextensions-apiserver. What was as wrong in the value
 * that it replaces (`old`) is let pass (KEP-4008).
 */
export function validateBySchema(
  value: unknown,
  schema: StructuralSchema,
  path: string,
  old?: unknown,
): Found {
  const found = validateFully(value, schema, path, old);
  return found.length > 0 && isUnchanged(value, old) ? [] : found;
}

function validateFully(
  value: unknown,
  schema: StructuralSchema,
  path: string,
  old: unknown,
): Found {
  const wrongType = checkType(value, schema, path);
  if (wrongType.length > 0) return wrongType;
  if (value === null) return [];
  return [
    ...checkEnum(value, schema, path),
    ...checkByType(value, schema, path, old),
    ...checkCombinations(value, schema, path),
  ];
}
