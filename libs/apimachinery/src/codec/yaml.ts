import {
  Lexer,
  LineCounter,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseAllDocuments,
  stringify,
} from 'yaml';
import type { Document, Node, Scalar, ScalarTag } from 'yaml';
import { DecodeError, MAX_DEPTH, TOO_DEEP, tooManyValues } from './decode-error.js';
import { decodeJson, keySetAgain, repeatedKeysOfJson } from './json.js';
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

export interface DecodedYaml extends DecodedJson {
  /**
   * What is said of keys that are given again in one map, in the order in which a decoder has read their values; only looked for
   * when asked: `line 9: key "foo" already set in map` (go-yaml v2 decode.go:setMapIndex; the line is the value's).
   */
  readonly repeatedKeys: readonly string[];
}

export interface DecodeYamlOptions {
  readonly findRepeated?: boolean;
}

/**
 * Parses one YAML document to JSON data; aliases, merge keys and further documents are refused
 * or inert, so that the result is never larger than the text. Throws {@link DecodeError}.
 */
export function decodeYaml(
  input: Uint8Array | string,
  { findRepeated = false }: DecodeYamlOptions = {},
): DecodedYaml {
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('utf8');
  refuseFlowDepth(text);
  const json = asJson(text);
  if (json) return { ...json, repeatedKeys: findRepeated ? repeatedKeysOfJson(text) : [] };
  refuseTokens(text);
  try {
    const lines = new LineCounter();
    const [document, ...more] = documentsOf(text, lines);
    if (!document) return { value: null, duplicateFields: [], repeatedKeys: [] };
    if (more.length > 0) throw new DecodeError('yaml: expected a single document');
    const [problem] = document.errors;
    if (problem) throw new DecodeError(`yaml: ${problem.message}`);
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    refuseValue(value, 0);
    const found = findRepeated ? repeatedKeys(document.contents) : [];
    const repeated = found.map(({ at, key }) => keySetAgain(lines.linePos(at).line, key));
    return { value, duplicateFields: [], repeatedKeys: repeated };
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    if (error instanceof RangeError) throw new DecodeError(`yaml: ${TOO_DEEP}`, { cause: error });
    const message = error instanceof Error ? error.message : String(error);
    throw new DecodeError(`yaml: ${message}`, { cause: error });
  }
}

function documentsOf(text: string, lineCounter: LineCounter): readonly Document[] {
  const documents = parseAllDocuments(text, {
    schema: 'core',
    customTags: (tags) => [TRUE, FALSE, OCTAL, ...tags],
    merge: false,
    uniqueKeys: false,
    prettyErrors: true,
    logLevel: 'silent',
    lineCounter,
  });
  return Array.isArray(documents) ? documents : [];
}

interface RepeatedKey {
  readonly at: number;
  readonly key: unknown;
}

/** Of a document that is known to be no deeper than {@link MAX_DEPTH}. */
function repeatedKeys(node: unknown, found: RepeatedKey[] = []): readonly RepeatedKey[] {
  if (isSeq(node)) for (const item of node.items) repeatedKeys(item, found);
  if (!isMap(node)) return found;
  const seen = new Set<unknown>();
  for (const { key, value } of node.items) {
    repeatedKeys(value, found);
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) found.push({ at: startOf(key, value), key: key.value });
    seen.add(key.value);
  }
  return found;
}

/** Where the value begins, its anchor and tag included: these stand behind the key. */
function startOf(key: Scalar, value: unknown): number {
  const [ofKey = 0] = key.range ?? [];
  const isEmpty = isScalar(value) && value.source === '';
  if (!isNode(value) || isEmpty || isMarked(value)) return ofKey;
  return value.range?.[0] ?? ofKey;
}

const isMarked = (node: Node): boolean =>
  node.tag !== undefined || ('anchor' in node && node.anchor !== undefined);

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
