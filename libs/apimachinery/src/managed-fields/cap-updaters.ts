import type { Manager } from './managers.js';
import { managerKey } from './managers.js';
import { unionFields } from './field-set.js';

/** k8s managedfields/fieldmanager.go:DefaultMaxUpdateManagers. */
const MAX_UPDATERS = 10;
const ANCIENT = 'ancient-changes';

const rank = ([key, { time }]: readonly [string, Manager]): readonly [string, string] => [
  time,
  key,
];

function byAge(a: readonly [string, Manager], b: readonly [string, Manager]): number {
  const [[timeA, keyA], [timeB, keyB]] = [rank(a), rank(b)];
  if (timeA !== timeB) return timeA < timeB ? -1 : 1;
  return keyA < keyB ? -1 : 1;
}

/**
 * Puts the oldest entries of updates together, by version, until there are ten; what appliers own stays theirs
 * (k8s managedfields/internal/capmanagers.go:capUpdateManagers).
 */
export function capUpdaters(managers: Map<string, Manager>): void {
  const updaters = [...managers].filter(([, { operation }]) => operation === 'Update').sort(byAge);
  let count = updaters.length;
  const firstOf = new Map<string, string>();
  for (const [key, manager] of updaters) {
    if (count <= MAX_UPDATERS) return;
    const { apiVersion } = manager;
    const first = firstOf.get(apiVersion);
    if (first === undefined) {
      firstOf.set(apiVersion, key);
      continue;
    }
    const bucket: Manager = { ...manager, name: ANCIENT, subresource: '' };
    const bucketKey = managerKey(bucket);
    const gathered = managers.get(bucketKey) ?? managers.get(first);
    if (!managers.has(bucketKey)) managers.delete(first);
    managers.delete(key);
    const fields = gathered ? unionFields(manager.fields, gathered.fields) : manager.fields;
    managers.set(bucketKey, { ...bucket, fields });
    count -= 1;
  }
}
