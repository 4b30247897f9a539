import { kinds } from '@orrery/api';

/** What is stored beside objects, which is never encrypted (k8s pkg/registry/core/rest: no transformer there). */
const resources = new Map<string, string>();
for (const { storagePrefix, storageConversion, plural, group } of kinds)
  if (storagePrefix !== '' && !storageConversion && !resources.has(storagePrefix))
    resources.set(storagePrefix, group === '' ? plural : `${plural}.${group}`);

/** Which resource (`secrets`, `deployments.apps`) a key below /registry/ is of; undefined = it is no object. */
export function storedResource(key: string): string | undefined {
  const [first = '', second = ''] = key.split('/', 2);
  return (
    resources.get(first) ??
    resources.get(`${first}/${second}`) ??
    // Custom resources lie below their groups, whose names have a dot.
    (first.includes('.') ? `${second}.${first}` : undefined)
  );
}
