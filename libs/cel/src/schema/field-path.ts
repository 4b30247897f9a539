import type { RuleSchema } from './structural.js';

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

/** A delimiter, a quoted text or what is between delimiters. */
const TOKEN = /'(?:[^'\\]|\\[\s\S])*'|[.[\]]|[^'.[\]][^.[\]]*/g;

const INVALID = 'does not refer to a valid field';
const ENDED = 'unexpected end of JSON path';

/** Where a path leads to, or why it leads nowhere. */
export type ResolvedFieldPath =
  | { readonly path: string; readonly schema: RuleSchema; readonly problem?: undefined }
  | { readonly problem: string };

/** A step as the path says it: a name, or what is wrong with it. */
type Step = { readonly name: string; readonly problem?: undefined } | { readonly problem: string };

function quotedStep(tokens: Iterator<string, undefined>): Step {
  const { value: token } = tokens.next();
  if (token === undefined) return { problem: ENDED };
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'"))
    return { problem: `expected single quoted string but got ${token}` };
  const name = token.slice(1, -1).replace(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? '');
  return { name };
}

function plainStep(tokens: Iterator<string, undefined>): Step {
  const { value } = tokens.next();
  return value === undefined ? { problem: ENDED } : { name: value };
}

/** What must follow a quoted name. */
function closing(tokens: Iterator<string, undefined>): string | undefined {
  const { value } = tokens.next();
  if (value === undefined) return ENDED;
  return value === ']' ? undefined : `expected ] but got ${value}`;
}

function* tokensOf(path: string): Generator<string, undefined> {
  for (const [token] of path.matchAll(TOKEN)) yield token;
}

/** One step further. */
function follow(
  { path, schema }: { readonly path: string; readonly schema: RuleSchema },
  name: string,
): ResolvedFieldPath {
  const { properties, additionalProperties } = schema;
  if (properties && Object.keys(properties).length > 0) {
    const next = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return next
      ? { path: path === '' ? name : `${path}.${name}`, schema: next }
      : { problem: INVALID };
  }
  return typeof additionalProperties === 'object' && additionalProperties !== null
    ? { path: `${path}[${name}]`, schema: additionalProperties }
    : { problem: INVALID };
}

/**
 * The fieldPath of a rule as errors print it, and the schema that it leads to, or what is wrong with it
 * (apiextensions-apiserver pkg/apiserver/schema/cel/validation.go:ValidFieldPath).
 */
export function resolveFieldPath(
  path: string,
  schema: RuleSchema,
  { allowKeys = true }: { readonly allowKeys?: boolean } = {},
): ResolvedFieldPath {
  const tokens = tokensOf(path);
  let at: ResolvedFieldPath = { path: '', schema };
  for (let token = tokens.next(); !token.done; token = tokens.next()) {
    const isKey = token.value === '[';
    if (!isKey && token.value !== '.')
      return { problem: `expected [ or . but got: ${token.value}` };
    if (isKey && !allowKeys) return { problem: 'array notation is not allowed' };
    const step: Step = isKey ? quotedStep(tokens) : plainStep(tokens);
    if (step.problem !== undefined) return step;
    at = follow(at, step.name);
    if (at.problem !== undefined) return at;
    const problem = isKey ? closing(tokens) : undefined;
    if (problem !== undefined) return { problem };
  }
  return at;
}
