import type { ManagedFieldsEntry } from '../object.js';
import type { Steps } from '../steps.js';
import {
  formatFieldsV1,
  formatSteps,
  isEmptySet,
  losesAny,
  parseFieldsV1,
  subtractFields,
} from './field-set.js';
import type { FieldSet, Taking } from './field-set.js';

export type ManagerOperation = 'Apply' | 'Update';

/** Who owns fields: one entry of metadata.managedFields. */
export interface Manager {
  readonly name: string;
  readonly operation: ManagerOperation;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
}

export type Managers = ReadonlyMap<string, Manager>;

/** An applier is the same in every version (k8s managedfields/internal/managedfields.go:BuildManagerIdentifier). */
export const managerKey = (manager: Omit<Manager, 'fields' | 'time'>): string =>
  JSON.stringify([
    manager.operation,
    manager.name,
    manager.operation === 'Apply' ? '' : manager.apiVersion,
    manager.subresource,
  ]);

/** `f:`, `k:`, `v:`, `i:`, each with what it names behind it; `.` is the field itself. */
const isKey = (key: string): boolean =>
  key === '.' || (key.charCodeAt(1) === 0x3a && 'fkvi'.includes(key.charAt(0)));

function areKeysReadable(fields: unknown): boolean {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return false;
  // Plain JSON: all that it has is its own. To list the pairs of tens of thousands of fields costs more than to look at them.
  for (const key in fields)
    if (!isKey(key) || (key !== '.' && !areKeysReadable((fields as Record<string, unknown>)[key])))
      return false;
  return true;
}

/** No entry, or an empty one: either ends the tracking (k8s managedfields/internal/fieldmanager.go:isResetManagedFields). */
export const isReset = (entries: readonly ManagedFieldsEntry[] | null | undefined): boolean =>
  Array.isArray(entries) &&
  entries.length < 2 &&
  entries.every((entry) => Object.keys(entry).length === 0);

/** What is wrong with entries (k8s apimachinery pkg/util/managedfields/internal/managedfields.go:DecodeManagedFields). */
export function problemOfEntries(entries: readonly ManagedFieldsEntry[]): string | undefined {
  for (const [i, { operation, apiVersion, fieldsType, fieldsV1 }] of entries.entries()) {
    if (operation !== 'Apply' && operation !== 'Update')
      return 'operation must be `Apply` or `Update`';
    if ((apiVersion ?? '') === '') return 'apiVersion must not be empty';
    if ((fieldsType ?? '') === '') return `missing fieldsType in managed fields entry ${i}`;
    if (fieldsType !== 'FieldsV1')
      return `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${i}`;
    if (!areKeysReadable(fieldsV1 ?? {})) return `error decoding versioned set of entry ${i}`;
  }
  return undefined;
}

/** Whether all entries can be read: what a client sends otherwise is passed over. */
export const areReadable = (entries: readonly ManagedFieldsEntry[]): boolean =>
  isReset(entries) || problemOfEntries(entries) === undefined;

/** What an entry says of its manager, its fields apart. */
const identityOf = (entry: ManagedFieldsEntry): Omit<Manager, 'fields'> => ({
  name: entry.manager ?? '',
  operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
  apiVersion: entry.apiVersion ?? '',
  subresource: entry.subresource ?? '',
  time: entry.time ?? '',
});

export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers = new Map<string, Manager>();
  for (const entry of entries ?? []) {
    const manager = { ...identityOf(entry), fields: parseFieldsV1(entry.fieldsV1 ?? {}) };
    managers.set(managerKey(manager), manager);
  }
  return managers;
}

/** A manager as it is stored. Its fields are read when they are wanted; until then it is written as it is. */
class StoredManager implements Manager {
  readonly name: string;
  readonly operation: ManagerOperation;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  #fields: FieldSet | undefined;

  constructor(readonly entry: ManagedFieldsEntry) {
    const { name, operation, apiVersion, subresource, time } = identityOf(entry);
    this.name = name;
    this.operation = operation;
    this.apiVersion = apiVersion;
    this.subresource = subresource;
    this.time = time;
  }

  get fields(): FieldSet {
    return (this.#fields ??= parseFieldsV1(this.entry.fieldsV1 ?? {}));
  }
}

/** The same of entries that were written here: sorted, and each with something that it owns. */
export function readStoredManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers = new Map<string, Manager>();
  for (const entry of entries ?? []) {
    const manager = new StoredManager(entry);
    managers.set(managerKey(manager), manager);
  }
  return managers;
}

/** Whether a manager owns some of these; a stored one is asked without reading it. */
export const wouldLose = (manager: Manager, taken: FieldSet, taking: Taking): boolean =>
  !(manager instanceof StoredManager) || losesAny(manager.entry.fieldsV1 ?? {}, taken, taking);

/** By operation, time, name, version, subresource (k8s managedfields/internal/managedfields.go:sortEncodedManagedFields). */
function order(a: Manager, b: Manager): number {
  if (a.operation !== b.operation) return a.operation < b.operation ? -1 : 1;
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.apiVersion !== b.apiVersion) return a.apiVersion < b.apiVersion ? -1 : 1;
  return a.subresource < b.subresource ? -1 : 1;
}

/** The entries of all managers that own something, in upstream's order. */
export const writeManagers = (managers: Managers): ManagedFieldsEntry[] =>
  inOrder(managers).map(
    (manager) => storedEntry(manager) ?? toEntry(manager, formatFieldsV1(manager.fields)),
  );

/** The same in steps. */
export function* writeManagersSteps(managers: Managers): Steps<ManagedFieldsEntry[]> {
  const entries: ManagedFieldsEntry[] = [];
  for (const manager of inOrder(managers))
    entries.push(storedEntry(manager) ?? toEntry(manager, yield* formatSteps(manager.fields)));
  return entries;
}

const storedEntry = (manager: Manager): ManagedFieldsEntry | undefined =>
  manager instanceof StoredManager ? manager.entry : undefined;

const inOrder = (managers: Managers): Manager[] =>
  [...managers.values()]
    .filter((manager) => manager instanceof StoredManager || !isEmptySet(manager.fields))
    .sort(order);

const toEntry = (manager: Manager, fieldsV1: Record<string, unknown>): ManagedFieldsEntry => ({
  manager: manager.name,
  operation: manager.operation,
  ...(manager.apiVersion ? { apiVersion: manager.apiVersion } : {}),
  ...(manager.time ? { time: manager.time } : {}),
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...(manager.subresource ? { subresource: manager.subresource } : {}),
});

/** Identity and bookkeeping fields belong to nobody (k8s managedfields/internal/stripmeta.go). */
const UNOWNED = parseFieldsV1({
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': {
    '.': {},
    'f:name': {},
    'f:namespace': {},
    'f:creationTimestamp': {},
    'f:selfLink': {},
    'f:uid': {},
    'f:clusterName': {},
    'f:generation': {},
    'f:managedFields': {},
    'f:resourceVersion': {},
  },
});

export const stripMeta = (fields: FieldSet): FieldSet => subtractFields(fields, UNOWNED);

/** `"kubectl" using apps/v1`: how conflicts name a manager. */
export function printManager(manager: Manager): string {
  const name = JSON.stringify(manager.name);
  const on = manager.subresource ? ` with subresource ${JSON.stringify(manager.subresource)}` : '';
  if (manager.operation === 'Apply') return `${name}${on}`;
  return `${name}${on} using ${manager.apiVersion}`;
}
