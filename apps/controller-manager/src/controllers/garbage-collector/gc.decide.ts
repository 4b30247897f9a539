import type { KubeObject, OwnerReference } from '@orrery/apimachinery';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

/** `unresolvable`: it cannot be named from there; `unknown`: nobody serves its kind at present. */
export type OwnerState = 'solid' | 'absent' | 'waiting' | 'unresolvable' | 'unknown';

export interface OwnedBy {
  readonly reference: OwnerReference;
  readonly state: OwnerState;
}

export type GcAction =
  | { readonly type: 'keep' }
  /** Takes references away: their owners are gone, or go, while another stays. */
  | { readonly type: 'disown'; readonly uids: readonly string[] }
  | { readonly type: 'delete'; readonly policy: 'Background' | 'Foreground' | 'Orphan' };

const hasFinalizer = (object: KubeObject, name: string): boolean =>
  object.metadata.finalizers?.includes(name) ?? false;

/** Deleted in the foreground, and so waiting for what it owns. */
export const isWaiting = (object: KubeObject): boolean =>
  object.metadata.deletionTimestamp !== undefined && hasFinalizer(object, FOREGROUND);

/** Deleted with orphaning, which is to be done. */
export const isOrphaning = (object: KubeObject): boolean =>
  object.metadata.deletionTimestamp !== undefined && hasFinalizer(object, ORPHAN);

/**
 * Pure: what becomes of an object with these owners (k8s pkg/controller/garbagecollector:
 * attemptToDeleteItem). One owner that stays keeps it; one that cannot be resolved keeps it, too.
 */
export function decideGarbage(
  object: KubeObject,
  owners: readonly OwnedBy[],
  hasDependents: boolean,
): GcAction {
  const uidsOf = (...states: readonly OwnerState[]): string[] =>
    owners.filter(({ state }) => states.includes(state)).map(({ reference }) => reference.uid);
  if (owners.length === 0 || uidsOf('unresolvable', 'unknown').length > 0) return { type: 'keep' };
  const gone = uidsOf('absent', 'waiting');
  if (uidsOf('solid').length > 0)
    return gone.length > 0 ? { type: 'disown', uids: gone } : { type: 'keep' };
  if (uidsOf('waiting').length > 0 && hasDependents)
    return { type: 'delete', policy: 'Foreground' };
  if (hasFinalizer(object, ORPHAN)) return { type: 'delete', policy: 'Orphan' };
  if (hasFinalizer(object, FOREGROUND)) return { type: 'delete', policy: 'Foreground' };
  return { type: 'delete', policy: 'Background' };
}

const blocks = (owner: OwnerReference): boolean => owner.blockOwnerDeletion === true;

/**
 * The owner references of an object that is to go with its owner, when one of its own dependents waits already: in a circle
 * each would wait for the next, so it holds no owner back any more. Undefined when it holds none.
 */
export function unblockedReferences(
  { metadata }: KubeObject,
  dependents: readonly KubeObject[],
): OwnerReference[] | undefined {
  const { ownerReferences = [] } = metadata;
  if (!ownerReferences.some(blocks) || !dependents.some(isWaiting)) return undefined;
  return ownerReferences.map((owner) =>
    blocks(owner) ? { ...owner, blockOwnerDeletion: false } : owner,
  );
}

/** The owners that an object has held back and holds back no more. */
export function releasedOwners(before: KubeObject, now: KubeObject): OwnerReference[] {
  const held = new Set(now.metadata.ownerReferences?.filter(blocks).map(({ uid }) => uid));
  return (before.metadata.ownerReferences ?? []).filter(
    (owner) => blocks(owner) && !held.has(owner.uid),
  );
}

/** The dependents that hold their owner back until they are gone. */
export const blocking = (dependents: readonly KubeObject[], ownerUid: string): KubeObject[] =>
  dependents.filter((dependent) =>
    dependent.metadata.ownerReferences?.some(
      (owner) => owner.uid === ownerUid && owner.blockOwnerDeletion === true,
    ),
  );
