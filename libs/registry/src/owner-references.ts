import { deepEqual } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { RequestContext } from './request-context.js';

const warning = (when: string, uids: readonly string[]): string =>
  `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids.join(', ')}`;

/**
 * Leaves out owners that are named twice, and warns of them. Two of one uid that differ in anything stay
 * (k8s apiserver pkg/endpoints/handlers/rest.go:dedupOwnerReferencesAndAddWarning).
 */
export function dropRepeatedOwners(
  { metadata }: KubeObject,
  context: Pick<RequestContext, 'warn'>,
  afterAdmission = false,
): void {
  const { ownerReferences } = metadata;
  if (!Array.isArray(ownerReferences) || ownerReferences.length < 2) return;
  const byUid = new Map<string, (typeof ownerReferences)[number][]>();
  const repeated: string[] = [];
  const kept = ownerReferences.filter((owner) => {
    const same = byUid.get(owner.uid) ?? [];
    if (same.some((other) => deepEqual(other, owner))) {
      repeated.push(owner.uid);
      return false;
    }
    byUid.set(owner.uid, [...same, owner]);
    return true;
  });
  if (repeated.length === 0) return;
  metadata.ownerReferences = kept;
  context.warn(warning(afterAdmission ? ' after mutating admission happens' : '', repeated));
}
