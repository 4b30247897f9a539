import { setImmediate } from 'node:timers/promises';
import type { FieldError } from '@orrery/apimachinery';
import type { Activation, CompiledRule, Program, Value } from '@orrery/cel';
import { LIMITS, OptionalValue, compileRules, converterFor, schemaType } from '@orrery/cel';
import { isUnchanged, oldElements, oldMember } from './correlation.js';
import { fieldError, invalidValue } from './findings.js';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject } from './structural-schema.js';

/** The rules of a schema and of what is below it; undefined where there are none. */
interface RuleTree {
  readonly schema: StructuralSchema;
  readonly rules: readonly CompiledRule[];
  readonly toValue: (json: unknown) => Value;
  readonly properties: ReadonlyMap<string, RuleTree>;
  readonly items: RuleTree | undefined;
  readonly additional: RuleTree | undefined;
  readonly allOf: readonly RuleTree[];
}

const isEmbedded = (schema: StructuralSchema): boolean =>
  schema['x-kubernetes-embedded-resource'] === true;

type Below = boolean | StructuralSchema | undefined;

const childTree = (typed: Below, rules: Below): RuleTree | undefined =>
  typeof typed === 'object' && typeof rules === 'object'
    ? buildTree(typed, rules, isEmbedded(typed))
    : undefined;

function propertyTrees(schema: StructuralSchema, rules: StructuralSchema): Map<string, RuleTree> {
  const properties = new Map<string, RuleTree>();
  for (const [name, member] of Object.entries(rules.properties ?? {})) {
    const tree = childTree(schema.properties?.[name], member);
    if (tree) properties.set(name, tree);
  }
  return properties;
}

/** `rules` are where a schema and its allOf say so; `schema` is the one that types come from. */
function buildTree(
  schema: StructuralSchema,
  rules: StructuralSchema,
  isResource: boolean,
): RuleTree | undefined {
  const properties = propertyTrees(schema, rules);
  const items = childTree(schema.items, rules.items);
  const additional = childTree(schema.additionalProperties, rules.additionalProperties);
  const allOf = (rules.allOf ?? []).flatMap((one) => buildTree(schema, one, isResource) ?? []);
  const validations = rules['x-kubernetes-validations'] ?? [];
  const declared = validations.length > 0 ? schemaType(schema, isResource) : undefined;
  const own = { ...schema, 'x-kubernetes-validations': validations };
  const compiled = declared ? compileRules(own, isResource, declared) : [];
  const isEmpty = compiled.length + properties.size + allOf.length === 0 && !items && !additional;
  if (isEmpty) return undefined;
  const toValue = converterFor(declared?.type ?? { kind: 'dyn' });
  return { schema, rules: compiled, toValue, properties, items, additional, allOf };
}

/** What one walk over an object shares. */
interface Walk {
  budget: number;
  readonly errors: FieldError[];
  readonly warn: (message: string) => void;
  /** When the walk last let others run, in milliseconds of performance.now(). */
  since: number;
}

interface Place {
  readonly path: string;
  readonly value: unknown;
  readonly old: unknown;
  /** The value, or something above it, is as it was: failures are only warned of. */
  readonly unchanged: boolean;
}

/** Longest time that rules keep the event loop to themselves between two of them. */
const SLICE_MS = 10;

const textOf = ({ rule }: CompiledRule): string => (rule.message || rule.rule || '').trim();

function activationOf(tree: RuleTree, { value, old }: Place, optional: boolean): Activation {
  const self = tree.toValue(value);
  const before = old === undefined ? undefined : tree.toValue(old);
  const oldSelf = optional ? new OptionalValue(before) : before;
  return { get: (name) => (name === 'self' ? self : name === 'oldSelf' ? oldSelf : undefined) };
}

function problemOf(error: string, exceeded: boolean, rule: CompiledRule): string {
  if (exceeded) {
    return `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${textOf(rule)}`;
  }
  return error.startsWith('no such overload')
    ? `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${textOf(rule)}`
    : `${error} evaluating rule: ${textOf(rule)}`;
}

const OUT_OF_BUDGET =
  'validation failed due to running out of cost budget, no further validation rules will be run';

/** The message that an expression makes; undefined when it makes none that can be used. */
function evaluateMessage(message: Program, activation: Activation, walk: Walk): string | undefined {
  const { value, cost } = message.evaluate(activation, Math.min(LIMITS.perCall, walk.budget));
  walk.budget -= cost;
  const text = typeof value === 'string' ? value.trim() : '';
  const isUsable =
    text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= LIMITS.messageBytes;
  return isUsable ? text : undefined;
}

function reportFailure(
  tree: RuleTree,
  rule: CompiledRule,
  place: Place,
  walk: Walk,
  activation: Activation,
): void {
  const own = rule.message && evaluateMessage(rule.message, activation, walk);
  const detail = own ?? (rule.rule.message?.trim() || `failed rule: ${textOf(rule)}`);
  const below = rule.fieldPath;
  const path =
    below === '' || place.path === '' || below.startsWith('[')
      ? `${place.path}${below}`
      : `${place.path}.${below}`;
  const isWhole = tree.schema.type === 'object' || tree.schema.type === 'array';
  const finding = failureOf(rule.rule.reason, path, isWhole ? undefined : place.value, detail);
  if (!rule.usesOldSelf && place.unchanged)
    walk.warn(`${finding.field || '<nil>'}: ${finding.message}`);
  else walk.errors.push(finding);
}

function failureOf(
  reason: string | undefined,
  path: string,
  value: unknown,
  detail: string,
): FieldError {
  const field = path === '' ? '<nil>' : path;
  switch (reason) {
    case 'FieldValueForbidden':
      return fieldError('FieldValueForbidden', field, `Forbidden: ${detail}`);
    case 'FieldValueRequired':
      return fieldError('FieldValueRequired', field, `Required value: ${detail}`);
    case 'FieldValueDuplicate':
      return fieldError('FieldValueDuplicate', field, `Duplicate value: ${JSON.stringify(value)}`);
    default:
      return value === undefined
        ? fieldError('FieldValueInvalid', field, `Invalid value: ${detail}`)
        : invalidValue(field, value, detail);
  }
}

/** Evaluates one rule; answers false when no further rules may run. */
function evaluateRule(tree: RuleTree, rule: CompiledRule, place: Place, walk: Walk): boolean {
  const { path, old } = place;
  const type = tree.schema.type ?? '';
  const complain = (detail: string): void => {
    walk.errors.push(invalidValue(path === '' ? '<nil>' : path, type, detail));
  };
  if (rule.problem !== undefined) complain(`rule compile error: ${rule.problem}`);
  const optional = rule.rule.optionalOldSelf === true;
  const { program } = rule;
  if (!program || (rule.usesOldSelf && old === undefined && !optional)) return true;
  const activation = activationOf(tree, place, optional);
  const { value, error, cost, exceeded } = program.evaluate(activation);
  if (!exceeded && cost > walk.budget) {
    complain(OUT_OF_BUDGET);
    return false;
  }
  walk.budget -= cost;
  if (error !== undefined) {
    complain(problemOf(error, exceeded, rule));
    return !exceeded;
  }
  if (value !== true) reportFailure(tree, rule, place, walk, activation);
  return true;
}

async function evaluateRules(tree: RuleTree, place: Place, walk: Walk): Promise<boolean> {
  for (const rule of tree.rules) {
    if (walk.budget <= 0) {
      const field = place.path === '' ? '<nil>' : place.path;
      walk.errors.push(invalidValue(field, tree.schema.type ?? '', OUT_OF_BUDGET));
      return false;
    }
    if (!evaluateRule(tree, rule, place, walk)) return false;
    if (performance.now() - walk.since > SLICE_MS) {
      await setImmediate();
      walk.since = performance.now();
    }
  }
  return true;
}

/** Every value below `place` with rules, by name or position. */
function* childrenOf(
  tree: RuleTree,
  { path, value, old, unchanged }: Place,
): Iterable<[RuleTree, Place]> {
  if (Array.isArray(value) && tree.items) {
    const find = oldElements(old, tree.schema);
    for (const [i, item] of (value as unknown[]).entries()) {
      const before = find(item);
      const same = unchanged || isUnchanged(item, before);
      yield [tree.items, { path: `${path}[${i}]`, value: item, old: before, unchanged: same }];
    }
  }
  if (!isJsonObject(value)) return;
  for (const [key, member] of Object.entries(value)) {
    const named = tree.properties.get(key);
    const below = named ?? tree.additional;
    if (!below) continue;
    const before = oldMember(old, key);
    const at = named ? (path === '' ? key : `${path}.${key}`) : `${path}[${key}]`;
    const same = unchanged || isUnchanged(member, before);
    yield [below, { path: at, value: member, old: before, unchanged: same }];
  }
}

async function walkTree(tree: RuleTree, place: Place, walk: Walk): Promise<boolean> {
  if (place.value === null || place.value === undefined) return true;
  if (!(await evaluateRules(tree, place, walk))) return false;
  for (const one of tree.allOf) if (!(await walkTree(one, place, walk))) return false;
  for (const [below, at] of childrenOf(tree, place))
    if (!(await walkTree(below, at, walk))) return false;
  return true;
}

export interface RuleCheck {
  readonly object: unknown;
  /** The stored object, for updates. */
  readonly old?: unknown;
  warn(this: void, message: string): void;
}

/** The x-kubernetes-validations of one schema, compiled when first asked for. */
export class RuleValidator {
  private tree: RuleTree | undefined | null = null;

  constructor(private readonly schema: StructuralSchema) {}

  /** True when the schema has rules. */
  get hasRules(): boolean {
    return this.build() !== undefined;
  }

  private build(): RuleTree | undefined {
    if (this.tree === null) this.tree = buildTree(this.schema, this.schema, true);
    return this.tree;
  }

  /** What the rules find, within the cost budget of an object; lets others run in between. */
  async validate({ object, old, warn }: RuleCheck): Promise<FieldError[]> {
    const tree = this.build();
    if (!tree) return [];
    const walk: Walk = { budget: LIMITS.perObject, errors: [], warn, since: performance.now() };
    const unchanged = isUnchanged(object, old);
    await walkTree(tree, { path: '', value: object, old, unchanged }, walk);
    return walk.errors;
  }
}
