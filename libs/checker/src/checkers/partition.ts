import { inScope } from '../history/object-version.js';
import type { Operation } from '../history/operation.js';
import { freshnessOf, isWrite } from '../history/operation.js';

/** Operations by key; a consistent list is one read of every key it covers, a read of a cache is left out. */
export function partitionByObject(operations: readonly Operation[]): Map<string, Operation[]> {
  const partitions = new Map<string, Operation[]>();
  for (const operation of operations) {
    if (operation.f === 'list') continue;
    const own = partitions.get(operation.key) ?? [];
    if (own.length === 0) partitions.set(operation.key, own);
    if (isWrite(operation.f) || isConsistent(operation)) own.push(operation);
  }
  const keysIn = rememberKeys([...partitions.keys()]);
  for (const operation of operations) {
    if (operation.f !== 'list' || !isFirstAnswer(operation)) continue;
    for (const read of projectList(operation, keysIn(operation.key)))
      partitions.get(read.key)?.push(read);
  }
  return partitions;
}

function isConsistent(operation: Operation): boolean {
  return freshnessOf(operation).kind === 'consistent';
}

/** Later pages show the first page's revision, which may be past. */
function isFirstAnswer(operation: Operation): boolean {
  const { outcome, args } = operation;
  return outcome === 'ok' && isConsistent(operation) && (args.page?.index ?? 0) === 0;
}

function rememberKeys(keys: readonly string[]): (scope: string) => readonly string[] {
  const scopes = new Map<string, readonly string[]>();
  return (scope) => {
    const known = scopes.get(scope) ?? keys.filter((key) => inScope(scope, key));
    scopes.set(scope, known);
    return known;
  };
}

function projectList(list: Operation, keys: readonly string[]): Operation[] {
  const listed = list.body?.items ?? [];
  const items = new Map(listed.map((item) => [item.key, item]));
  const last = list.body?.more ? listed.at(-1)?.key : undefined;
  return keys
    .filter((key) => last === undefined || key <= last)
    .map((key) => {
      const object = items.get(key);
      return { ...list, key, body: object ? { object } : {} };
    });
}
