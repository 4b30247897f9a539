import type { Json, StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberSchema } from './structural-schema.js';

const TYPE_META = new Set(['apiVersion', 'kind', 'metadata']);

function pruneValue(
  value: unknown,
  schema: StructuralSchema,
  path: string,
  removed: string[],
): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) value.forEach((item, i) => pruneValue(item, items, `${path}[${i}]`, removed));
    return;
  }
  if (isJsonObject(value)) pruneMembers(value, schema, path, removed);
}

function pruneMembers(
  object: Json,
  schema: StructuralSchema,
  path: string,
  removed: string[],
): void {
  const keepUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  for (const key of Object.keys(object)) {
    if (embedded && TYPE_META.has(key)) continue;
    const at = path === '' ? key : `${path}.${key}`;
    const member = memberSchema(schema, key);
    if (member) pruneValue(object[key], member, at, removed);
    else if (!keepUnknown) {
      delete object[key];
      removed.push(at);
    }
  }
}

/** Removes the fields that the schema does not know; answers their paths. Type and metadata stay. Mutates. */
export function prune(object: Json, schema: StructuralSchema): string[] {
  const removed: string[] = [];
  pruneMembers(object, { ...schema, 'x-kubernetes-embedded-resource': true }, '', removed);
  return removed;
}
