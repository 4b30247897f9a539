import { cloneJson } from '../clone-json.js';
import { setOwn } from '../schema/normalize.js';
import { isPlainObject, own } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { mergeLists } from './merge-lists.js';
import { elementKey, shapeOf } from './typed-node.js';

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.length === 0
    : isPlainObject(value) && Object.keys(value).length === 0;

/** Lays an applied configuration over the live value; lists merge by element where the schema says so. */
export function mergeFields(
  live: unknown,
  applied: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
): unknown {
  // A null takes a value away, but nothing out of what is owned piece by piece.
  if (applied === null) return shapeOf(live, schema) === 'atomic' || isEmpty(live) ? null : live;
  const shape = shapeOf(applied, schema);
  if (live === undefined || live === null || shape === 'atomic') return cloneJson(applied);
  if (shape === 'fields') {
    if (!isPlainObject(live) || !isPlainObject(applied)) return cloneJson(applied);
    const result = { ...live };
    for (const key of Object.keys(applied)) {
      const field = registry.field(schema, key);
      setOwn(result, key, mergeFields(own(live, key), applied[key], field, registry));
    }
    return result;
  }
  if (!Array.isArray(live) || !Array.isArray(applied)) return cloneJson(applied);
  const items = registry.deref(schema?.items);
  const entry = (item: unknown): { key: string; item: unknown } => ({
    key: elementKey(item, shape, schema, registry),
    item,
  });
  return mergeLists(live.map(entry), applied.map(entry), (mine, theirs) =>
    mergeFields(mine, theirs, items, registry),
  );
}
