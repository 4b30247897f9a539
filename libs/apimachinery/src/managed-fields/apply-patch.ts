import { canonicalJson, deepEqual } from '../equality.js';
import type { KubeObject } from '../object.js';
import { isPlainObject } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import { StatusError } from '../status-error.js';
import { compareFields, extractFields } from './compare-fields.js';
import {
  emptyFields,
  formatFieldsV1,
  intersectFields,
  isEmptySet,
  printPaths,
  subtractFields,
  subtractTrees,
  unionFields,
} from './field-set.js';
import type { FieldSet } from './field-set.js';
import { managerKey, printManager, readManagers, stripMeta, writeManagers } from './managers.js';
import type { Manager, ManagerOperation, Managers } from './managers.js';
import { mergeFields, pruneFields } from './merge-fields.js';

interface WriteOptions {
  readonly manager: string;
  readonly registry: SchemaRegistry;
  /** Name of the kind's schema, e.g. io.k8s.api.apps.v1.Deployment. */
  readonly schemaName: string;
  readonly apiVersion: string;
  readonly subresource?: string;
  /** RFC 3339 with seconds. */
  readonly now: string;
}

export interface ApplyOptions extends WriteOptions {
  /** Absent when the apply creates the object. */
  readonly live?: KubeObject | undefined;
  readonly patch: KubeObject;
  readonly force: boolean;
}

export interface ApplyConflict {
  readonly manager: string;
  /** `.spec.replicas` */
  readonly field: string;
}

export type ApplyResult =
  | { readonly object: KubeObject; readonly conflicts?: undefined }
  | { readonly object?: undefined; readonly conflicts: readonly ApplyConflict[] };

export interface TrackOptions extends WriteOptions {
  /** Absent when the write creates the object. */
  readonly old?: KubeObject | undefined;
  readonly new: KubeObject;
}

const newManager = (
  { manager, apiVersion, subresource, now }: WriteOptions,
  operation: ManagerOperation,
): Manager => ({
  name: manager,
  operation,
  apiVersion,
  subresource: subresource ?? '',
  time: now,
  fields: emptyFields,
});

/** The object without the entries themselves, which never count as fields. */
function withoutEntries(object: KubeObject): KubeObject {
  const { managedFields: _entries, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function withEntries(object: unknown, managers: Managers): KubeObject {
  const base = (isPlainObject(object) ? object : {}) as unknown as KubeObject;
  return { ...base, metadata: { ...base.metadata, managedFields: writeManagers(managers) } };
}

/** Server-side apply (structured-merge-diff merge/update.go:Apply). A new object, or the conflicts unless forced. */
export function applyPatch(options: ApplyOptions): ApplyResult {
  const { registry, schemaName, force } = options;
  const schema = registry.resolve(schemaName);
  const live: KubeObject = options.live ? withoutEntries(options.live) : { metadata: {} };
  const patch = withoutEntries(options.patch);
  const managers = new Map(readManagers(options.live?.metadata.managedFields));
  const self = newManager(options, 'Apply');
  const key = managerKey(self);
  const last = managers.get(key);
  const fields = stripMeta(extractFields(patch, schema, registry));
  managers.delete(key);
  const merged = mergeFields(live, patch, schema, registry);
  const gone = subtractFields(last?.fields ?? emptyFields, fields);
  const kept = unionFields(fields, fieldsOfAll(managers));
  const pruned = pruneFields(merged, { gone, kept }, schema, registry);
  const { changed, removed } = compareFields(live, pruned, schema, registry);
  const conflicts = force ? [] : conflictsWith(managers, changed);
  if (conflicts.length > 0) return { conflicts };
  disown(managers, changed, removed);
  const isSame = last && sameFields(last.fields, fields) && deepEqual(live, pruned);
  managers.set(key, { ...self, fields, time: isSame ? last.time : self.time });
  return { object: withEntries(pruned, managers) };
}

const sameFields = (a: FieldSet, b: FieldSet): boolean =>
  canonicalJson(formatFieldsV1(a)) === canonicalJson(formatFieldsV1(b));

const fieldsOfAll = (managers: Managers): FieldSet =>
  [...managers.values()].reduce((all, manager) => unionFields(all, manager.fields), emptyFields);

function conflictsWith(managers: Managers, changed: FieldSet): ApplyConflict[] {
  return [...managers.values()].flatMap((manager) =>
    printPaths(intersectFields(manager.fields, changed)).map((field) => ({
      manager: printManager(manager),
      field,
    })),
  );
}

/** Others lose what changed under them and what is no longer there. */
function disown(managers: Map<string, Manager>, changed: FieldSet, removed: FieldSet): void {
  for (const [key, manager] of managers) {
    const left = subtractTrees(subtractFields(manager.fields, changed), removed);
    if (isEmptySet(left)) managers.delete(key);
    else managers.set(key, { ...manager, fields: left });
  }
}

/**
 * Ownership after a create, update or patch: the new object with the fields it changed given to the manager.
 * An object sent with an empty list of entries starts ownership anew.
 */
export function trackUpdate(options: TrackOptions): KubeObject {
  const { registry, schemaName } = options;
  const schema = registry.resolve(schemaName);
  const isReset = options.old && options.new.metadata.managedFields?.length === 0;
  const old: KubeObject = options.old ? withoutEntries(options.old) : { metadata: {} };
  const object = withoutEntries(options.new);
  const managers = new Map(isReset ? [] : readManagers(options.old?.metadata.managedFields));
  if (isReset) return withEntries(object, managers);
  const self = newManager(options, 'Update');
  const key = managerKey(self);
  const { changed, removed } = compareFields(old, object, schema, registry);
  const gained = stripMeta(changed);
  const before = managers.get(key);
  managers.delete(key);
  disown(managers, changed, removed);
  const kept = subtractTrees(before?.fields ?? emptyFields, removed);
  const fields = unionFields(kept, gained);
  const isSame = before && sameFields(before.fields, fields) && isEmptySet(gained);
  if (!isEmptySet(fields)) {
    managers.set(key, { ...self, fields, time: isSame ? before.time : self.time });
  }
  return withEntries(object, managers);
}

/** The 409 for conflicts, worded as k8s managedfields/internal/conflict.go. */
export function newApplyConflict(conflicts: readonly ApplyConflict[]): StatusError {
  const [first] = conflicts;
  const names = [...new Set(conflicts.map((c) => c.manager))].sort();
  const groups = names.map((name) => {
    const fields = conflicts.filter((c) => c.manager === name).map((c) => `- ${c.field}`);
    return `conflicts with ${name}:\n${fields.join('\n')}`;
  });
  const message =
    conflicts.length === 1
      ? `Apply failed with 1 conflict: conflict with ${first?.manager}: ${first?.field}`
      : `Apply failed with ${conflicts.length} conflicts: ${groups.join('\n')}`;
  const causes = conflicts.map(({ manager, field }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field,
  }));
  return new StatusError(409, 'Conflict', message, { details: { causes } });
}
