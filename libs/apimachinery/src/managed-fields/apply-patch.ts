import { deepEqual } from '../equality.js';
import type { KubeObject } from '../object.js';
import { isPlainObject } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import { StatusError } from '../status-error.js';
import { finish } from '../steps.js';
import type { Steps } from '../steps.js';
import { capUpdaters } from './cap-updaters.js';
import { compareFields, compareSteps, extractFields, extractSteps } from './compare-fields.js';
import type { Comparison } from './compare-fields.js';
import {
  emptyFields,
  intersectFields,
  isEmptySet,
  printPaths,
  selectTrees,
  subtractFields,
  subtractTrees,
  unionFields,
} from './field-set.js';
import type { FieldSet } from './field-set.js';
import {
  isReset,
  managerKey,
  printManager,
  readManagers,
  readStoredManagers,
  stripMeta,
  wouldLose,
  writeManagers,
  writeManagersSteps,
} from './managers.js';
import type { Manager, ManagerOperation, Managers } from './managers.js';
import { KUBECTL, lastAppliedConfiguration, withLastApplied } from './last-applied.js';
import { mergeFields } from './merge-fields.js';
import { pruneSteps } from './remove-fields.js';

interface WriteOptions {
  readonly manager: string;
  readonly registry: SchemaRegistry;
  /** Name of the kind's schema, e.g. io.k8s.api.apps.v1.Deployment. */
  readonly schemaName: string;
  readonly apiVersion: string;
  readonly subresource?: string;
  /** Fields that the write cannot set, e.g. the status of an object that has it as a subresource: they stay with their owners. */
  readonly ignored?: FieldSet;
  /** The fields that it can set, instead of `ignored`; `*` is any element. */
  readonly only?: FieldSet;
  /** RFC 3339 with seconds. */
  readonly now: string;
  /** The object is large: fields with many children are looked at in slices. */
  readonly isLarge?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** Absent when the apply creates the object. */
  readonly live?: KubeObject | undefined;
  readonly patch: KubeObject;
  readonly force: boolean;
  /** The object as it would be read again: without nulls, quantities and times in one form. */
  readonly normalize?: (object: unknown) => unknown;
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

function* withEntries(
  object: unknown,
  managers: Managers,
  { isLarge = false }: WriteOptions,
): Steps<KubeObject> {
  const base = (isPlainObject(object) ? object : {}) as unknown as KubeObject;
  const managedFields = isLarge ? yield* writeManagersSteps(managers) : writeManagers(managers);
  return { ...base, metadata: { ...base.metadata, managedFields } };
}

function* extraction(
  patch: unknown,
  { registry, schemaName, isLarge = false }: WriteOptions,
): Steps<FieldSet> {
  const schema = registry.resolve(schemaName);
  return isLarge
    ? yield* extractSteps(patch, schema, registry)
    : extractFields(patch, schema, registry);
}

function* comparison(
  before: unknown,
  after: unknown,
  { registry, schemaName, isLarge = false }: WriteOptions,
): Steps<Comparison> {
  const schema = registry.resolve(schemaName);
  return isLarge
    ? yield* compareSteps(before, after, schema, registry)
    : compareFields(before, after, schema, registry);
}

/** Objects written before anybody applied: all of it belongs to this one (k8s managedfields/fieldmanager.go). */
const BEFORE_FIRST_APPLY = 'before-first-apply';

/** What the write can set of `fields` (structured-merge-diff fieldpath/set.go:NewExcludeSetFilter, NewIncludeMatcherFilter). */
const settable = (fields: FieldSet, { ignored, only }: WriteOptions): FieldSet => {
  const left = ignored ? subtractTrees(fields, ignored) : fields;
  return only ? selectTrees(left, only) : left;
};

/** Who owns what of the live object; an object that nobody tracked yet is given to `before-first-apply`. */
function managersBefore(options: ApplyOptions): Map<string, Manager> {
  const { live } = options;
  const found = readManagers(live?.metadata.managedFields);
  if (!live || found.size > 0) return new Map(found);
  const tracked = trackUpdate({
    ...options,
    manager: BEFORE_FIRST_APPLY,
    new: withoutEntries(live),
  });
  return new Map(readManagers(tracked.metadata.managedFields));
}

/** What is other than before; a value that only is written otherwise (`1000m` for `1`) is not. */
function* changesOf(
  live: KubeObject,
  { merged, made }: { readonly merged: unknown; readonly made: unknown },
  options: ApplyOptions,
): Steps<Comparison> {
  const raw = yield* comparison(live, merged, options);
  yield;
  const read = made === merged ? raw : yield* comparison(live, made, options);
  yield;
  const real = unionFields(read.changed, read.removed);
  return {
    changed: settable(intersectFields(raw.changed, real), options),
    removed: settable(raw.removed, options),
  };
}

const asItIs = (object: unknown): unknown => object;

/** Server-side apply (structured-merge-diff merge/update.go:Apply). A new object, or the conflicts unless forced. */
export const applyPatch = (options: ApplyOptions): ApplyResult => finish(applySteps(options));

/** The same in steps. */
export function* applySteps(options: ApplyOptions): Steps<ApplyResult> {
  const { registry, normalize = asItIs } = options;
  const schema = registry.resolve(options.schemaName);
  const live: KubeObject = options.live ? withoutEntries(options.live) : { metadata: {} };
  const patch = withoutEntries(options.patch);
  const managers = managersBefore(options);
  const self = newManager(options, 'Apply');
  const key = managerKey(self);
  const last = managers.get(key);
  const named = settable(yield* extraction(patch, options), options);
  managers.delete(key);
  yield;
  const merged = mergeFields(live, patch, schema, registry);
  yield;
  const kept = unionFields(named, fieldsOfAll(managers));
  yield;
  const owners = { last: last?.fields ?? emptyFields, kept };
  const pruned = (yield* pruneSteps(merged, owners, schema, registry)) ?? { metadata: {} };
  yield;
  const made = normalize(pruned);
  yield;
  const { changed, removed } = yield* changesOf(live, { merged: pruned, made }, options);
  const conflicts = options.force ? [] : conflictsWith(managers, changed);
  if (conflicts.length > 0 && !mayTakeOver(options, conflicts)) {
    return { conflicts: conflictsBeyond(options, conflicts) };
  }
  disown(managers, changed, removed);
  yield;
  // Who only joins the owners of what is there already leaves no time (k8s managedfieldsupdater.go:Apply).
  const time = deepEqual(live, made) ? (last?.time ?? '') : self.time;
  const fields = stripMeta(named);
  if (!isEmptySet(fields)) managers.set(key, { ...self, fields, time });
  yield;
  const object = yield* withEntries(made, managers, options);
  yield;
  return { object: options.manager === KUBECTL ? withLastApplied(object, patch) : object };
}

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

/** Conflicts that are left when kubectl may take what it applied itself, on the client's side, before. */
function conflictsBeyond(
  options: ApplyOptions,
  conflicts: readonly ApplyConflict[],
): readonly ApplyConflict[] {
  if (options.manager !== KUBECTL) return conflicts;
  const allowed = new Set(printPaths(lastAppliedFields(options)));
  return conflicts.filter(({ field }) => !allowed.has(field));
}

/** The fields that kubectl applied and that still are as it applied them (k8s managedfields/internal/lastappliedmanager.go). */
function lastAppliedFields({ live, registry, schemaName, apiVersion }: ApplyOptions): FieldSet {
  const before = lastAppliedConfiguration(live);
  if (!before || before['apiVersion'] !== apiVersion) return emptyFields;
  const schema = registry.resolve(schemaName);
  const applied = extractFields(before, schema, registry);
  const { changed, removed } = compareFields(before, live, schema, registry);
  return subtractFields(subtractFields(applied, changed), removed);
}

const mayTakeOver = (options: ApplyOptions, conflicts: readonly ApplyConflict[]): boolean =>
  conflictsBeyond(options, conflicts).length === 0;

/** Others lose what changed under them and what is no longer there. */
function disown(managers: Map<string, Manager>, changed: FieldSet, removed: FieldSet): void {
  for (const [key, manager] of managers) {
    if (!wouldLose(manager, changed, 'members') && !wouldLose(manager, removed, 'trees')) continue;
    const left = subtractTrees(subtractFields(manager.fields, changed), removed);
    if (isEmptySet(left)) managers.delete(key);
    else managers.set(key, { ...manager, fields: left });
  }
}

/** The entries to go on from: those sent, which a client may change, else those stored. */
function entriesBefore({ subresource, old, new: { metadata } }: TrackOptions): Managers {
  const sent = subresource ? undefined : metadata.managedFields;
  if (isReset(sent)) return new Map();
  const stored = old?.metadata.managedFields;
  return sent && sent !== stored ? readManagers(sent) : readStoredManagers(stored);
}

/**
 * Ownership after a create, update or patch: the new object with the fields it changed given to the manager.
 * No entry (`[]`) or an empty one (`[{}]`) ends the tracking, until somebody applies (k8s managedfields/internal/fieldmanager.go:Update).
 */
export const trackUpdate = (options: TrackOptions): KubeObject => finish(trackSteps(options));

/** The same in steps. */
export function* trackSteps(options: TrackOptions): Steps<KubeObject> {
  // Nobody owns entries: that they are in the old object alone says nothing.
  const old: KubeObject = options.old ?? { metadata: {} };
  const object = withoutEntries(options.new);
  const managers = new Map(entriesBefore(options));
  if (options.old && managers.size === 0) return yield* withEntries(object, managers, options);
  const self = newManager(options, 'Update');
  const key = managerKey(self);
  yield;
  const found = yield* comparison(old, object, options);
  yield;
  const [changed, removed] = [settable(found.changed, options), settable(found.removed, options)];
  const gained = stripMeta(changed);
  disown(managers, changed, removed);
  yield;
  const before = managers.get(key);
  if (!isEmptySet(gained)) {
    const fields = unionFields(before?.fields ?? emptyFields, gained);
    managers.set(key, { ...self, fields });
  }
  capUpdaters(managers);
  yield;
  return yield* withEntries(object, managers, options);
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
