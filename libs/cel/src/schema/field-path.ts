import type { RuleSchema } from './structural.js';

const TOKEN = /\.([^.[\]]+)|\['((?:\\.|[^'\\])*)'\]/y;
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
};

const isMapKey = ({ properties, additionalProperties }: RuleSchema): boolean =>
  !properties && typeof additionalProperties === 'object';

function memberOf(schema: RuleSchema, name: string): RuleSchema | undefined {
  const { properties = {}, additionalProperties } = schema;
  if (isMapKey(schema)) return additionalProperties as RuleSchema;
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/**
 * The fieldPath of a rule as errors print it, and the schema that it leads to; undefined when the schema has no such
 * field (apiextensions-apiserver pkg/apiserver/schema/cel/validation.go:ValidFieldPath).
 */
export function resolveFieldPath(
  path: string,
  schema: RuleSchema,
  { allowKeys = true }: { readonly allowKeys?: boolean } = {},
): { readonly path: string; readonly schema: RuleSchema } | undefined {
  let at = schema;
  let printed = '';
  let offset = 0;
  while (offset < path.length) {
    TOKEN.lastIndex = offset;
    const token = TOKEN.exec(path);
    const quoted = token?.[2];
    if (!token || (quoted !== undefined && !allowKeys)) return undefined;
    offset += token[0].length;
    const name =
      token[1] ?? (quoted ?? '').replace(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? '');
    const next = memberOf(at, name);
    if (!next) return undefined;
    printed += isMapKey(at) ? `[${name}]` : printed === '' ? name : `.${name}`;
    at = next;
  }
  return { path: printed, schema: at };
}
