import { Lexer, LineCounter, isScalar, parseAllDocuments, stringify, visit } from 'yaml';
import type { Document, ScalarTag } from 'yaml';
import { DecodeError, MAX_DEPTH, TOO_DEEP, tooManyValues } from './decode-error.js';
import { decodeJson, duplicateFieldsOf } from './json.js';
import type { DecodedJson } from './json.js';

/** Booleans and octal numbers as YAML 1.1 has them, since sigs.k8s.io/yaml reads those. */
const TRUE: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON)$/,
  resolve: () => true,
};
const FALSE: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:n|N|no|No|NO|off|Off|OFF)$/,
  resolve: () => false,
};
const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text: string) => parseInt(text, 8),
};

const MAX_FLOW_DEPTH = 256;

/** A value takes about five (its name, signs, space); to make one of YAML costs ten times what it costs in JSON. */
const MAX_TOKENS = 100_000;
const MAX_VALUES = MAX_TOKENS / 5;

/**
 * Parses one YAML document to JSON data; aliases, merge keys and further documents are refused
 * or inert, so that the result is never larger than the text. Throws {@link DecodeError}.
 */
export function decodeYaml(input: Uint8Array | string): DecodedJson {
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('utf8');
  refuseFlowDepth(text);
  const json = asJson(text);
  if (json) return json;
  refuseTokens(text);
  try {
    const [document, ...more] = documentsOf(text);
    if (!document) return { value: null, duplicateFields: [] };
    if (more.length > 0) throw new DecodeError('yaml: expected a single document');
    const [problem] = document.errors;
    if (problem) throw new DecodeError(`yaml: ${problem.message}`);
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    refuseValue(value, 0);
    return { value, duplicateFields: [] };
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    if (error instanceof RangeError) throw new DecodeError(`yaml: ${TOO_DEEP}`, { cause: error });
    const message = error instanceof Error ? error.message : String(error);
    throw new DecodeError(`yaml: ${message}`, { cause: error });
  }
}

function documentsOf(text: string, lineCounter?: LineCounter): readonly Document[] {
  const documents = parseAllDocuments(text, {
    schema: 'core',
    customTags: (tags) => [TRUE, FALSE, OCTAL, ...tags],
    merge: false,
    uniqueKeys: false,
    prettyErrors: true,
    logLevel: 'silent',
    ...(lineCounter ? { lineCounter } : {}),
  });
  return Array.isArray(documents) ? documents : [];
}

/**
 * What is said of keys that are given again in one map of a document that {@link decodeYaml} has decoded, in the order in which they
 * stand there (go-yaml decode.go:mapping in strict mode), e.g. `line 9: key "foo" already set in map`.
 */
export function repeatedKeysOf(input: Uint8Array | string): string[] {
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('utf8');
  // Of JSON it is known sooner whether there is any.
  if (asJson(text) && duplicateFieldsOf(Buffer.from(text)).length === 0) return [];
  const found: { at: number; name: string }[] = [];
  const lines = new LineCounter();
  const [document] = documentsOf(text, lines);
  if (!document) return [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        const [at = 0] = key.range ?? [];
        if (seen.has(name)) found.push({ at, name });
        seen.add(name);
      }
    },
  });
  return found
    .toSorted((a, b) => a.at - b.at)
    .map(
      ({ at, name }) =>
        `line ${lines.linePos(at).line}: key ${JSON.stringify(name)} already set in map`,
    );
}

/** JSON is YAML too; clients that apply send it, and it is read a hundred times faster as what it is. */
function asJson(text: string): DecodedJson | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return decodeJson(text);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Tags that make what no JSON is, at a cost (CVE-2026-59870), and directives that give them other names. */
const UNWANTED = /^(?:!.*(?:omap|pairs|set|binary|timestamp|merge)>?|%TAG.*)$/;

/** Before anything is built of them: tokens come one by one. */
function refuseTokens(text: string): void {
  let tokens = 0;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > MAX_TOKENS) throw tooManyValues(MAX_VALUES);
    if (UNWANTED.test(token)) throw new DecodeError(`yaml: cannot decode ${token.slice(0, 80)}`);
  }
}

function refuseFlowDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (c === 0x5b || c === 0x7b) depth += 1;
    else if (c === 0x5d || c === 0x7d) depth = Math.max(0, depth - 1);
    if (depth > MAX_FLOW_DEPTH) throw new DecodeError(`yaml: ${TOO_DEEP}`);
  }
}

function refuseValue(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new DecodeError(`yaml: ${TOO_DEEP}`);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new DecodeError('error converting YAML to JSON: json: unsupported value');
  }
  if (typeof value !== 'object' || value === null) return;
  for (const entry of Object.values(value)) refuseValue(entry, depth + 1);
}

/** Prints as sigs.k8s.io/yaml does: sorted keys, lists not indented, 1.1 booleans quoted. */
export function encodeYaml(value: unknown): string {
  return stringify(value, {
    schema: 'core',
    compat: 'yaml-1.1',
    aliasDuplicateObjects: false,
    indentSeq: false,
    lineWidth: 0,
    sortMapEntries: true,
  });
}
