import type { KubeObject } from '@orrery/apimachinery';
import { formatQuantity, zeroQuantity } from '@orrery/apimachinery';
import type { ResourceQuota, ResourceQuotaStatus, ResourceRef } from '@orrery/api';
import { COUNTED, countName, usageOf } from './object-usage.js';
import { addAmounts } from '@orrery/api';
import type { Amounts } from './object-usage.js';
import { isInScope } from './scopes.js';

/** The objects of one kind in the quota's namespace. */
export interface CountedObjects {
  readonly ref: ResourceRef;
  readonly objects: readonly KubeObject[];
}

const BUILT_IN = new Set(COUNTED.map(countName));

/** Names of kinds that are not built in: the server is asked for their number. */
export const isForeign = (name: string): boolean =>
  name.startsWith('count/') && !BUILT_IN.has(name);

const DEVICES = '.deviceclass.resource.k8s.io/devices';

/** The kinds that a quota's limits speak of; others need not be counted. */
export function isRelevant(ref: ResourceRef, names: readonly string[]): boolean {
  if (names.includes(countName(ref))) return true;
  if (ref.group !== '')
    return ref.plural === 'resourceclaims' && names.some((name) => name.endsWith(DEVICES));
  if (ref.plural === 'pods') return names.some((name) => !name.startsWith('count/'));
  if (ref.plural === 'persistentvolumeclaims')
    return names.some((name) => /(?:^|\/)(?:persistentvolumeclaims|requests\.storage)$/.test(name));
  return names.some((name) => name === ref.plural || name.startsWith(`${ref.plural}.`));
}

/** Pure: the limits in force and what of them is in use. */
export function quotaStatus(
  quota: ResourceQuota,
  world: readonly CountedObjects[],
  now: number,
  foreign: ReadonlyMap<string, number> = new Map(),
): ResourceQuotaStatus {
  const hard = quota.spec?.hard ?? {};
  const names = Object.keys(hard);
  const total: Amounts = new Map();
  for (const { ref, objects } of world) {
    if (!isRelevant(ref, names)) continue;
    for (const object of objects)
      if (isInScope(quota, ref, object)) addAmounts(total, usageOf(ref, object, now));
  }
  const used: Record<string, string> = {};
  for (const name of names)
    used[name] = isForeign(name)
      ? String(foreign.get(name) ?? quota.status?.used?.[name] ?? '0')
      : formatQuantity(total.get(name) ?? zeroQuantity);
  return { hard: { ...hard }, used };
}
