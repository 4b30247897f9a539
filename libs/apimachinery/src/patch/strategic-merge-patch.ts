import { cloneSteps } from '../clone-json.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import { setOwn } from '../schema/normalize.js';
import { patchStrategies } from '../schema/schema.js';
import type { Schema } from '../schema/schema.js';
import { newBadRequest, StatusError } from '../status-error.js';
import { finish } from '../steps.js';
import type { Steps } from '../steps.js';
import { goValue } from './go-value.js';
import { ElementIndex, orderElements } from './list-order.js';
import { isPlainObject, own, requireObjectPatch } from './merge-patch.js';
import type { PlainObject } from './merge-patch.js';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList/';
const SET_ORDER = '$setElementOrder/';

/**
 * Applies a strategic merge patch by the schema's merge keys and strategies and returns a new object
 * (k8s apimachinery/pkg/util/strategicpatch/patch.go). A malformed patch is a StatusError, with upstream's codes.
 */
export const applyStrategicMergePatch = (
  document: unknown,
  patch: unknown,
  registry: SchemaRegistry,
  schemaName: string,
): unknown => finish(strategicMergePatchSteps(document, patch, registry, schemaName));

/** The same in steps. */
export function* strategicMergePatchSteps(
  document: unknown,
  patch: unknown,
  registry: SchemaRegistry,
  schemaName: string,
): Steps<unknown> {
  const base = isPlainObject(document) ? document : {};
  const engine = new Engine(registry);
  const merged = yield* engine.mergeMap(
    base,
    requireObjectPatch(patch),
    registry.resolve(schemaName),
  );
  return yield* cloneSteps(merged);
}

/** Fields or elements of one value that are merged in one go. */
const SLICE = 2000;

const isDirectiveKey = (key: string): boolean =>
  key.startsWith('$') &&
  (key === DIRECTIVE ||
    key === RETAIN_KEYS ||
    key.startsWith(DELETE_FROM) ||
    key.startsWith(SET_ORDER));

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw newBadRequest(`invalid patch format of ${what}`);
}

/** Upstream has no status of its own for these (k8s apiserver handlers/patch.go:interpretStrategicMergePatchError). */
const unclassified = (message: string): StatusError => new StatusError(500, '', message);

const badPatchType = (patch: PlainObject): StatusError =>
  unclassified(`unknown patch type: ${goValue(patch[DIRECTIVE])} in map: ${goValue(patch)}`);

/** Makes new values, which share what it does not change with the document and the patch: it changes neither. */
class Engine {
  constructor(private readonly registry: SchemaRegistry) {}

  *mergeMap(
    original: PlainObject,
    patch: PlainObject,
    schema: Schema | undefined,
  ): Steps<PlainObject> {
    if (Object.hasOwn(patch, DIRECTIVE)) {
      const directive = patch[DIRECTIVE];
      if (directive === 'replace') return this.withoutDirectives(patch);
      if (directive === 'delete') return {};
      if (directive !== 'merge') throw badPatchType(patch);
    }
    const result = yield* retainKeys(original, patch);
    let done = 0;
    let hasDirectives = false;
    for (const key of Object.keys(patch)) {
      done += 1;
      if (done % SLICE === 0) yield;
      if (isDirectiveKey(key)) {
        hasDirectives = true;
        continue;
      }
      const change = patch[key];
      if (change === null) delete result[key];
      else if (typeof change !== 'object') setOwn(result, key, change);
      else {
        const field = this.registry.field(schema, key);
        setOwn(result, key, yield* this.mergeField(own(result, key), change, field));
      }
    }
    if (!hasDirectives) return result;
    this.deleteFromLists(result, patch);
    yield* this.orderLists(result, original, patch, schema);
    return result;
  }

  private *mergeField(
    original: unknown,
    change: object,
    field: Schema | undefined,
  ): Steps<unknown> {
    const strategies = patchStrategies(field);
    if (isPlainObject(change)) {
      const base = isPlainObject(original) && !strategies.includes('replace') ? original : {};
      return yield* this.mergeMap(base, change, field);
    }
    if (!Array.isArray(change)) return change;
    const isMerge = strategies.includes('merge');
    if (!isMerge || !Array.isArray(original)) {
      return this.newList(change, isMerge ? mergeKeyOf(field) : '');
    }
    return yield* this.mergeList(original, change, field);
  }

  /** A list that nothing was there for: taken as it is, special elements left out. */
  private newList(change: readonly unknown[], mergeKey: string): unknown[] {
    const plain = change.filter((item) => !isPlainObject(item) || !Object.hasOwn(item, DIRECTIVE));
    if (mergeKey !== '') plain.forEach((item) => requireMergeKey(item, mergeKey));
    return plain.map((item) => this.stripped(item));
  }

  private *mergeList(
    original: readonly unknown[],
    change: readonly unknown[],
    field: Schema | undefined,
  ): Steps<unknown[]> {
    const mergeKey = mergeKeyOf(field);
    if (![...original, ...change].some(isPlainObject))
      return yield* mergePrimitives(original, change);
    if (mergeKey === '') {
      throw new StatusError(422, 'Invalid', 'cannot merge lists without merge key');
    }
    const plain = change.filter((item) => !isPlainObject(item) || !Object.hasOwn(item, DIRECTIVE));
    const special = change.filter(
      (item): item is PlainObject => isPlainObject(item) && Object.hasOwn(item, DIRECTIVE),
    );
    const { kept, replaced } = applySpecialElements(original, special, mergeKey);
    if (replaced) return plain.map((item) => this.stripped(item));
    const merged = [...kept];
    const places = new ElementIndex(merged, mergeKey);
    let done = 0;
    for (const item of plain) {
      done += 1;
      if (done % SLICE === 0) yield;
      const entry = requireMergeKey(item, mergeKey);
      const at = places.of(entry);
      if (at < 0) places.note(entry, merged.length);
      const existing = merged[at];
      const base = isPlainObject(existing) ? existing : {};
      const next =
        at < 0 && isFlat(entry)
          ? { ...entry }
          : yield* this.mergeMap(base, entry, this.registry.deref(field?.items));
      if (at < 0) merged.push(next);
      else merged[at] = next;
    }
    return yield* orderElements(merged, plain, original, mergeKey);
  }

  private deleteFromLists(result: PlainObject, patch: PlainObject): void {
    for (const key of Object.keys(patch).filter((name) => name.startsWith(DELETE_FROM))) {
      const field = key.slice(DELETE_FROM.length);
      const removed = listOf(patch[key], 'primitive list');
      const list = own(result, field);
      if (!Array.isArray(list)) continue;
      const gone = new ElementIndex(removed, '');
      setOwn(
        result,
        field,
        list.filter((item) => gone.of(item) < 0),
      );
    }
  }

  private *orderLists(
    result: PlainObject,
    original: PlainObject,
    patch: PlainObject,
    schema: Schema | undefined,
  ): Steps<void> {
    for (const key of Object.keys(patch).filter((name) => name.startsWith(SET_ORDER))) {
      const field = key.slice(SET_ORDER.length);
      const order = listOf(patch[key], 'setElementOrder list');
      const list = own(result, field);
      if (!Array.isArray(list)) continue;
      const before = own(original, field);
      const mergeKey = mergeKeyOf(this.registry.field(schema, field));
      const serverOrder = Array.isArray(before) ? before : list;
      setOwn(result, field, yield* orderElements(list, order, serverOrder, mergeKey));
    }
  }

  private stripped(value: unknown): unknown {
    if (isPlainObject(value)) return this.withoutDirectives(value);
    return Array.isArray(value) ? value.map((item) => this.stripped(item)) : value;
  }

  /** A patch taken as a value: nulls and directives are not data. */
  private withoutDirectives(patch: PlainObject): PlainObject {
    const result: PlainObject = {};
    for (const key of Object.keys(patch)) {
      const value = patch[key];
      if (!isDirectiveKey(key) && value !== null) setOwn(result, key, this.stripped(value));
    }
    return result;
  }
}

const mergeKeyOf = (field: Schema | undefined): string =>
  field?.['x-kubernetes-patch-merge-key'] ?? '';

/** An element that is taken as it is: nothing in it is merged, taken away or a directive. */
function isFlat(entry: PlainObject): boolean {
  for (const key of Object.keys(entry)) {
    if (typeof entry[key] === 'object' || isDirectiveKey(key) || key === '__proto__') return false;
  }
  return true;
}

function requireMergeKey(item: unknown, mergeKey: string): PlainObject {
  if (isPlainObject(item) && Object.hasOwn(item, mergeKey)) return item;
  throw unclassified(`map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`);
}

function* mergePrimitives(
  original: readonly unknown[],
  change: readonly unknown[],
): Steps<unknown[]> {
  const merged = [...original];
  const places = new ElementIndex(merged, '');
  for (const item of change) {
    if (places.of(item) >= 0) continue;
    places.note(item, merged.length);
    merged.push(item);
  }
  yield;
  return yield* orderElements(merged, change, original, '');
}

/** Copies the original without the keys that `$retainKeys` does not name. */
function* retainKeys(original: PlainObject, patch: PlainObject): Steps<PlainObject> {
  const result: PlainObject = {};
  const retained = Object.hasOwn(patch, RETAIN_KEYS)
    ? new Set(listOf(patch[RETAIN_KEYS], 'retainKeys'))
    : undefined;
  let done = 0;
  for (const key of Object.keys(original)) {
    done += 1;
    if (done % SLICE === 0) yield;
    if (!retained || retained.has(key)) setOwn(result, key, original[key]);
  }
  if (!retained) return result;
  const stray = Object.keys(patch).find(
    (key) => !isDirectiveKey(key) && patch[key] !== null && !retained.has(key),
  );
  if (stray !== undefined) throw newBadRequest('invalid patch format of retainKeys');
  return result;
}

function applySpecialElements(
  original: readonly unknown[],
  special: readonly PlainObject[],
  mergeKey: string,
): { kept: readonly unknown[]; replaced: boolean } {
  const gone: PlainObject[] = [];
  let replaced = false;
  for (const item of special) {
    if (item[DIRECTIVE] === 'replace') replaced = true;
    else if (item[DIRECTIVE] === 'delete') gone.push(requireMergeKey(item, mergeKey));
    else throw badPatchType(item);
  }
  const deleted = new ElementIndex(gone, mergeKey);
  return { kept: original.filter((item) => deleted.of(item) < 0), replaced };
}
