import type { KubeObject } from '../object.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import { mergeFields } from './merge-fields.js';
import { childrenOf, shapeOf } from './typed-node.js';

/** Paths of lists and objects that would be replaced as a whole. */
function atomicsIn(
  value: unknown,
  schema: Schema | undefined,
  registry: SchemaRegistry,
  path: string,
): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const isAtomic = shapeOf(value, schema) === 'atomic';
  const below = [...childrenOf(value, schema, registry)].flatMap(([key, child], i) =>
    atomicsIn(
      child.value,
      child.schema,
      registry,
      key.startsWith('f:') ? `${path}.${key.slice(2)}` : `${path}[${i}]`,
    ),
  );
  return isAtomic ? [path] : below;
}

/**
 * Merges a partial object into another as server-side apply would, without owning anything. Throws an Error when the
 * patch would replace a list or object as a whole (k8s apiserver plugin/policy/mutating/patch/smd.go).
 */
export function applyConfiguration(
  live: KubeObject,
  patch: unknown,
  schemaName: string,
  registry: SchemaRegistry,
): KubeObject {
  const schema = registry.resolve(schemaName);
  const atomics = atomicsIn(patch, schema, registry, '');
  if (atomics.length > 0) {
    throw new Error(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    );
  }
  return mergeFields(live, patch, schema, registry) as KubeObject;
}
