import { MAX_FINDINGS } from '@orrery/apimachinery';
import type { FieldError, Steps } from '@orrery/apimachinery';
import { isUnchanged, oldElements, oldMember } from './correlation.js';
import { inBody, toFieldErrors, tooMany } from './findings.js';
import type { Outcome, Problem } from './findings.js';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberOf, memberSchema } from './structural-schema.js';
import { checkEnum, checkNumber, checkString, checkType } from './validate-scalar.js';

/** A value and where it is; `typed` is the schema outside of allOf, anyOf, oneOf and not, by which old values are found. */
interface Place {
  readonly value: unknown;
  readonly path: string;
  readonly old: unknown;
  readonly typed: StructuralSchema | undefined;
}

/** Characters of findings after which no more entries are looked at: a finding names all values of an enum. */
const MAX_CHARACTERS = 1024 * 1024;

/** Collects what several checks say of one value. */
class Tally {
  readonly problems: Problem[] = [];
  matches = 0;
  private characters = 0;

  /** More is not told of one object: entries that are left need not be looked at. */
  get isFull(): boolean {
    return this.problems.length > MAX_FINDINGS || this.characters > MAX_CHARACTERS;
  }

  add(...problems: readonly Problem[]): void {
    for (const one of problems) {
      this.problems.push(one);
      this.characters += one.text.length + (one.error?.message.length ?? 0);
    }
  }

  merge(outcome: Outcome): void {
    this.add(...outcome.problems);
    this.matches += outcome.matches;
  }
}

const isValid = ({ problems }: Outcome): boolean => problems.length === 0;

/** What was wrong in the value that this one replaces may stay so (KEP-4008). */
function* checkChild(schema: StructuralSchema, place: Place): Steps<Outcome> {
  const outcome = yield* check(schema, place);
  const isOld = !isValid(outcome) && isUnchanged(place.value, place.old);
  return isOld ? { problems: [], matches: outcome.matches } : outcome;
}

const composite = (path: string, text: string): Problem => ({
  text: `${JSON.stringify(path)} ${text}`,
});

/** The outcome with the most positive checks, the first of those. */
function best(outcomes: readonly Outcome[]): Outcome | undefined {
  return outcomes.reduce<Outcome | undefined>(
    (known, one) => (known && known.matches >= one.matches ? known : one),
    undefined,
  );
}

function* checkAnyOf(
  schemas: readonly StructuralSchema[],
  place: Place,
  tally: Tally,
): Steps<void> {
  const failed: Outcome[] = [];
  for (const one of schemas) {
    const outcome = yield* check(one, place);
    if (isValid(outcome)) return tally.merge(outcome);
    failed.push(outcome);
  }
  tally.add(composite(place.path, 'must validate at least one schema (anyOf)'));
  const closest = best(failed);
  if (closest) tally.merge(closest);
}

function* checkEach(schemas: readonly StructuralSchema[], place: Place): Steps<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const one of schemas) outcomes.push(yield* check(one, place));
  return outcomes;
}

function* checkOneOf(
  schemas: readonly StructuralSchema[],
  place: Place,
  tally: Tally,
): Steps<void> {
  const outcomes = yield* checkEach(schemas, place);
  const valid = outcomes.filter(isValid);
  const [first] = valid;
  if (first && valid.length === 1) return tally.merge(first);
  const found = first ? `Found ${valid.length} valid alternatives` : 'Found none valid';
  tally.add(composite(place.path, `must validate one and only one schema (oneOf). ${found}`));
  const closest = first ? undefined : best(outcomes);
  if (closest) tally.merge(closest);
}

function* checkAllOf(
  schemas: readonly StructuralSchema[],
  place: Place,
  tally: Tally,
): Steps<void> {
  const outcomes = yield* checkEach(schemas, place);
  for (const one of outcomes) tally.merge(one);
  const valid = outcomes.filter(isValid).length;
  if (valid === outcomes.length) return;
  const none = valid === 0 ? '. None validated' : '';
  tally.add(composite(place.path, `must validate all the schemas (allOf)${none}`));
}

function* checkCombinations(schema: StructuralSchema, place: Place, tally: Tally): Steps<void> {
  const { anyOf = [], oneOf = [], allOf = [], not } = schema;
  if (anyOf.length > 0) yield* checkAnyOf(anyOf, place, tally);
  if (oneOf.length > 0) yield* checkOneOf(oneOf, place, tally);
  if (allOf.length > 0) yield* checkAllOf(allOf, place, tally);
  if (not && isValid(yield* check(not, place)))
    tally.add(composite(place.path, 'must not validate the schema (not)'));
}

function* checkArray(
  list: readonly unknown[],
  schema: StructuralSchema,
  { path, old, typed }: Place,
  tally: Tally,
): Steps<void> {
  const { minItems, maxItems, items } = schema;
  const size = list.length;
  if (items) {
    const find = oldElements(old, typed ?? {});
    for (const [i, value] of list.entries()) {
      const place = { value, path: `${path}[${i}]`, old: find(value), typed: typed?.items };
      tally.merge(yield* checkChild(items, place));
      if (tally.isFull) break;
      yield;
    }
  }
  if (typeof minItems === 'number' && size < minItems)
    tally.add({
      name: path,
      value: size,
      text: inBody(path, `should have at least ${minItems} items`),
    });
  if (typeof maxItems === 'number' && size > maxItems)
    tally.add(tooMany(path, size, maxItems, 'items'));
}

function checkSize(size: number, schema: StructuralSchema, path: string, tally: Tally): void {
  const { minProperties, maxProperties } = schema;
  if (typeof minProperties === 'number' && size < minProperties)
    tally.add({
      name: path,
      value: size,
      text: inBody(path, `should have at least ${minProperties} properties`),
    });
  if (typeof maxProperties === 'number' && size > maxProperties)
    tally.add(tooMany(path, size, maxProperties, 'properties'));
}

function* checkObject(
  object: Record<string, unknown>,
  schema: StructuralSchema,
  { path, old, typed }: Place,
  tally: Tally,
): Steps<void> {
  const { additionalProperties, required = [] } = schema;
  const keys = Object.keys(object);
  checkSize(keys.length, schema, path, tally);
  for (const key of keys) {
    const value = object[key];
    const named = memberOf(schema.properties, key);
    const member = named ?? additionalProperties;
    if (member === false)
      tally.add({
        name: path,
        value: key,
        text: `${path}.${key} in body is a forbidden property`,
      });
    if (typeof member !== 'object' || value === undefined) continue;
    const at = named && path === '' ? key : `${path}.${key}`;
    const place = {
      value,
      path: at,
      old: oldMember(old, key),
      typed: typed && memberSchema(typed, key),
    };
    tally.merge(yield* checkChild(member, place));
    if (tally.isFull) break;
    yield;
  }
  for (const key of required) {
    if (memberOf(object, key) !== undefined) continue;
    const at = `${path}.${key}`;
    const error = { type: 'FieldValueRequired', message: 'Required value' } as const;
    tally.add({ name: at, text: inBody(at, 'is required'), error });
  }
}

/** kube-openapi pkg/validation/validate/schema.go:Validate: each check that applies is made, whatever the others found. */
function* check(schema: StructuralSchema, place: Place): Steps<Outcome> {
  const { value, path } = place;
  const tally = new Tally();
  const types = checkType(value, schema, path);
  tally.add(...types);
  if (value === null) {
    tally.add(...checkEnum(value, schema, path));
    if (types.length === 0) tally.matches += 1;
    return tally;
  }
  const hasType = schema.type !== undefined || schema['x-kubernetes-int-or-string'] === true;
  if (hasType) tally.matches += types.length === 0 ? 2 : 1;
  yield* checkCombinations(schema, place, tally);
  tally.matches += 2;
  if (typeof value === 'string') {
    tally.add(...checkString(value, schema, path));
    tally.matches += 1;
  } else if (typeof value === 'number') {
    tally.add(...checkNumber(value, schema, path));
    tally.matches += 2;
  } else if (Array.isArray(value)) {
    yield* checkArray(value, schema, place, tally);
    tally.matches += 2;
  }
  tally.add(...checkEnum(value, schema, path));
  tally.matches += 2;
  if (isJsonObject(value)) {
    yield* checkObject(value, schema, place, tally);
    tally.matches += 1;
  }
  return tally;
}

/**
 * What is wrong with a value by its schema, in the words of apiextensions-apiserver; `base` is where the value stands.
 * What was as wrong in the value that it replaces (`old`) is let pass. In steps: each value is checked by as many
 * schemas as the definition likes.
 */
export function* validateBySchema(
  value: unknown,
  schema: StructuralSchema,
  base: string,
  old?: unknown,
): Steps<FieldError[]> {
  const outcome = yield* checkChild(schema, { value, path: '', old, typed: schema });
  return toFieldErrors(outcome.problems, base);
}
