import { matchesRegex, regexProblem } from '@orrery/cel';
import { equalJson } from '@orrery/registry';
import { inBody, wrongType } from './findings.js';
import type { Problem } from './findings.js';
import { hasFormat, isFormat } from './string-formats.js';
import type { StructuralSchema } from './structural-schema.js';

const NUMBER_FORMATS: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
};

/** The types that a value may have; none = any. */
const typesOf = (schema: StructuralSchema): readonly string[] =>
  schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : schema.type ? [schema.type] : [];

/** The format, where it is known for the type (apiextensions-apiserver …/formats.go:StripUnsupportedFormatsPostProcess). */
function formatOf(schema: StructuralSchema): string {
  const { format = '' } = schema;
  const [type = '', ...more] = typesOf(schema);
  const isText = type === '' || type === 'string' || more.length > 0;
  const isKnown = isText ? isFormat(format) : NUMBER_FORMATS[type]?.includes(format);
  return isKnown ? format : '';
}

/** The JSON type of a value, as OpenAPI names it, and the format that Go's type has. */
function kindOf(value: unknown): readonly [type: string, format: string] {
  if (Array.isArray(value)) return ['array', ''];
  if (typeof value === 'number')
    return Number.isInteger(value) ? ['integer', 'int64'] : ['number', 'float64'];
  return [typeof value, ''];
}

/** kube-openapi pkg/validation/validate/type.go. */
export function checkType(value: unknown, schema: StructuralSchema, path: string): Problem[] {
  const types = typesOf(schema);
  const wanted = types.join(',');
  if (value === null)
    return types.length === 0 || schema.nullable ? [] : [wrongType(path, wanted, 'null')];
  const format = formatOf(schema);
  const [type, own] = kindOf(value);
  const isAlike = types.includes(type) || (type === 'integer' && types.includes('number'));
  if (isAlike || (types.length === 0 && format === '')) return [];
  if (format === '') return [wrongType(path, wanted, type)];
  const isTextual = typeof value === 'string' || Array.isArray(value);
  if (!isTextual) return format === own ? [] : [wrongType(path, format, own)];
  const isNumeric = types.includes('number') || types.includes('integer');
  return isNumeric ? [wrongType(path, wanted, type)] : [];
}

/** The values of one enum, made once for all values that are checked by it. */
interface KnownValues {
  readonly scalars: ReadonlySet<unknown>;
  readonly others: readonly unknown[];
  /** As the two findings list them. */
  readonly quoted: string;
  readonly spaced: string;
}

const known = new WeakMap<readonly unknown[], KnownValues>();

function knownValues(allowed: readonly unknown[]): KnownValues {
  let found = known.get(allowed);
  if (!found) {
    const isScalar = (value: unknown): boolean => typeof value !== 'object';
    const values = allowed.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
    found = {
      scalars: new Set(allowed.filter(isScalar)),
      others: allowed.filter((one) => !isScalar(one)),
      quoted: values.map((one) => JSON.stringify(one)).join(', '),
      spaced: values.join(' '),
    };
    known.set(allowed, found);
  }
  return found;
}

/** A null is never one of the values (…/validator.go:basicCommonValidator). */
export function checkEnum(value: unknown, schema: StructuralSchema, path: string): Problem[] {
  const { enum: allowed } = schema;
  if (!allowed || allowed.length === 0) return [];
  const { scalars, others, quoted, spaced } = knownValues(allowed);
  if (value !== null && (scalars.has(value) || others.some((one) => equalJson(one, value))))
    return [];
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${quoted}`;
  const text = inBody(path, `should be one of [${spaced}]`);
  return [{ name: path, text, error: { type: 'FieldValueNotSupported', message } }];
}

/** The first of length and pattern that does not fit, and the format. */
export function checkString(value: string, schema: StructuralSchema, path: string): Problem[] {
  const wrong = lengthProblem(value, schema, path) ?? patternProblem(value, schema.pattern, path);
  const format = formatOf(schema);
  return [
    ...(wrong ? [wrong] : []),
    ...(format === '' || hasFormat(value, format) ? [] : [wrongType(path, format, value)]),
  ];
}

function lengthProblem(
  value: string,
  { maxLength, minLength }: StructuralSchema,
  path: string,
): Problem | undefined {
  if (typeof maxLength !== 'number' && typeof minLength !== 'number') return undefined;
  const length = Array.from(value).length;
  if (typeof maxLength === 'number' && length > maxLength) {
    return {
      name: path,
      text: inBody(path, `should be at most ${maxLength} chars long`),
      error: {
        type: 'FieldValueTooLong',
        message: `Too long: may not be more than ${maxLength} bytes`,
      },
    };
  }
  return typeof minLength === 'number' && length < minLength
    ? { name: path, value, text: inBody(path, `should be at least ${minLength} chars long`) }
    : undefined;
}

function patternProblem(
  value: string,
  pattern: string | undefined,
  path: string,
): Problem | undefined {
  if (!pattern) return undefined;
  const problem = regexProblem(pattern);
  const shown = problem === undefined ? pattern : `${pattern}, but pattern is invalid: ${problem}`;
  if (problem === undefined && matchesRegex(value, pattern)) return undefined;
  return { name: path, value, text: inBody(path, `should match '${shown}'`) };
}

const MAX_FLOAT32 = 3.4028234663852886e38;

/** A number that does not fit into Go's type of the schema (…/values.go:IsValueValidAgainstRange). */
function rangeProblem(
  what: string,
  value: number,
  schema: StructuralSchema,
  path: string,
): Problem[] {
  const [type, ...others] = typesOf(schema);
  const format = formatOf(schema);
  if (others.length > 0) return [];
  const isWhole = Number.isInteger(value);
  const fits =
    type === 'integer'
      ? isWhole && (format !== 'int32' || (value >= -(2 ** 31) && value < 2 ** 31))
      : format !== 'float' || Math.abs(value) <= MAX_FLOAT32;
  if (fits) return [];
  const shown = format === '' ? '(default format)' : `with format ${format}`;
  return [{ text: `${what} value must be of type ${type ?? ''} ${shown} in ${path}` }];
}

interface Bound {
  readonly what: string;
  readonly bound: number;
  readonly words: string;
  readonly isBroken: (value: number, bound: number) => boolean;
}

function boundsOf(schema: StructuralSchema): Bound[] {
  const { maximum, exclusiveMaximum, minimum, exclusiveMinimum } = schema;
  const bounds: Bound[] = [];
  if (typeof maximum === 'number') {
    bounds.push({
      what: 'Maximum boundary',
      bound: maximum,
      words: exclusiveMaximum ? 'less than' : 'less than or equal to',
      isBroken: (value, max) => (exclusiveMaximum ? value >= max : value > max),
    });
  }
  if (typeof minimum === 'number') {
    bounds.push({
      what: 'Minimum boundary',
      bound: minimum,
      words: exclusiveMinimum ? 'greater than' : 'greater than or equal to',
      isBroken: (value, min) => (exclusiveMinimum ? value <= min : value < min),
    });
  }
  return bounds;
}

/** What Go's decoder makes an int64 of. */
const isInt64 = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 63;

function multipleProblems(value: number, schema: StructuralSchema, path: string): Problem[] {
  const { multipleOf } = schema;
  if (typeof multipleOf !== 'number') return [];
  const odd = rangeProblem('MultipleOf', multipleOf, schema, path);
  const factor = isInt64(value) && odd.length === 0 ? Math.trunc(multipleOf) : multipleOf;
  if (factor <= 0) {
    const text = `factor MultipleOf declared for ${path} must be positive: ${factor}`;
    return [...odd, { name: path, value: factor, text }];
  }
  const times = factor < 1 ? (1 / factor) * value : value / factor;
  const isWhole =
    Math.abs(times) <= Number.MAX_SAFE_INTEGER && Math.abs(times - Math.round(times)) <= 1e-9;
  return isWhole
    ? odd
    : [...odd, { name: path, value, text: inBody(path, `should be a multiple of ${factor}`) }];
}

/** kube-openapi pkg/validation/validate/validator.go:numberValidator. */
export function checkNumber(value: number, schema: StructuralSchema, path: string): Problem[] {
  return [
    ...rangeProblem('Checked', value, schema, path),
    ...multipleProblems(value, schema, path),
    ...boundsOf(schema)
      .reverse()
      .flatMap(({ what, bound, words, isBroken }) => {
        const odd = rangeProblem(what, bound, schema, path);
        // Whole numbers are compared with the whole part of a bound.
        const limit = isInt64(value) && odd.length === 0 ? Math.trunc(bound) : bound;
        return isBroken(value, limit)
          ? [...odd, { name: path, value, text: inBody(path, `should be ${words} ${limit}`) }]
          : odd;
      }),
  ];
}
