import type { Pod, StatefulSet } from '@orrery/api';
import { scaledValue } from '@orrery/api';
import { isAvailable, isTerminated } from '../../pods/pod-state.js';
import {
  REVISION_LABEL,
  firstOrdinal,
  identityLabels,
  ordinalOf,
  replicasOf,
} from './stateful-identity.js';

export interface StatefulWorld {
  readonly set: StatefulSet;
  /** Owned by the set. */
  readonly pods: readonly Pod[];
  /** Name of the revision that pods below the partition have. */
  readonly currentRevision: string;
  readonly updateRevision: string;
  /** How many names of other templates its revisions have met so far. */
  readonly collisions: number;
  readonly now: number;
}

export interface NewPod {
  readonly ordinal: number;
  readonly revision: string;
}

export interface StatefulPlan {
  readonly create: readonly NewPod[];
  readonly remove: readonly Pod[];
  /** Pods of the wanted ordinals that lack a label of their identity. */
  readonly relabel: readonly Pod[];
}

interface Slot {
  readonly ordinal: number;
  readonly pod: Pod | undefined;
}

interface Draft {
  readonly create: NewPod[];
  readonly remove: Pod[];
  readonly relabel: Pod[];
}

/** Whether nothing more may be done before the world has changed. */
type Stop = boolean;

export const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Running, ready and so for minReadySeconds: the next pod may follow. */
function isSettled({ set, now }: StatefulWorld, pod: Pod): boolean {
  return (
    pod.status?.phase === 'Running' &&
    !isTerminating(pod) &&
    isAvailable(pod, set.spec?.minReadySeconds ?? 0, now)
  );
}

const isOrdered = ({ set }: StatefulWorld): boolean => set.spec?.podManagementPolicy !== 'Parallel';

/** The pods of the wanted ordinals, and the others from the highest down. */
export function arrange({ set, pods }: Pick<StatefulWorld, 'set' | 'pods'>): {
  readonly slots: readonly Slot[];
  readonly condemned: readonly Pod[];
} {
  const start = firstOrdinal(set);
  const count = replicasOf(set);
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]));
  const slots = Array.from({ length: count }, (_, index) => ({
    ordinal: start + index,
    pod: byOrdinal.get(start + index),
  }));
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => ordinal >= 0 && (ordinal < start || ordinal >= start + count))
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  return { slots, condemned };
}

function revisionFor({ set, currentRevision, updateRevision }: StatefulWorld, ordinal: number) {
  const strategy = set.spec?.updateStrategy;
  if (strategy?.type === 'OnDelete') return updateRevision;
  const rolling = strategy?.rollingUpdate;
  const below = rolling ? (rolling.partition ?? 0) : (set.status?.currentReplicas ?? 0);
  return ordinal < firstOrdinal(set) + below ? currentRevision : updateRevision;
}

/** Creates what is missing and removes what has ended, in order. */
function fill(world: StatefulWorld, slots: readonly Slot[], draft: Draft): Stop {
  for (const { ordinal, pod } of slots) {
    let waits = false;
    if (!pod) {
      draft.create.push({ ordinal, revision: revisionFor(world, ordinal) });
      waits = true;
    } else if (isTerminated(pod)) {
      if (!isTerminating(pod)) draft.remove.push(pod);
      waits = true;
    } else {
      waits = !isSettled(world, pod);
      const labels = Object.entries(identityLabels(world.set, ordinal));
      if (!waits && labels.some(([key, value]) => pod.metadata.labels?.[key] !== value))
        draft.relabel.push(pod);
    }
    if (waits && isOrdered(world)) return true;
  }
  return false;
}

/** Removes the condemned from the highest down; in order, an unhealthy pod below holds those above it. */
function shrink(
  world: StatefulWorld,
  slots: readonly Slot[],
  condemned: readonly Pod[],
  draft: Draft,
): Stop {
  const known = [...slots.map(({ pod }) => pod), ...[...condemned].reverse()];
  const firstUnhealthy = known.find((pod) => pod !== undefined && !isSettled(world, pod));
  for (const pod of condemned) {
    const ordered = isOrdered(world);
    if (isTerminating(pod)) {
      if (ordered) return true;
      continue;
    }
    if (ordered && !isSettled(world, pod) && pod !== firstUnhealthy) return true;
    draft.remove.push(pod);
    if (ordered) return true;
  }
  return false;
}

/** How many pods may be unavailable while they are updated; at least one. */
export function maxUnavailable({ set }: StatefulWorld): number {
  const value = set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
  return Math.max(scaledValue(value, replicasOf(set)), 1);
}

const partitionOf = ({ set }: StatefulWorld): number =>
  set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;

/** Removes pods of other revisions from the highest ordinal down to the partition, few at a time. */
function roll(world: StatefulWorld, slots: readonly Slot[], draft: Draft): void {
  let budget = maxUnavailable(world);
  for (const { pod } of slots.slice(partitionOf(world)).reverse()) {
    if (budget <= 0) return;
    const leaving = !pod || isTerminating(pod) || draft.remove.includes(pod);
    const old = pod?.metadata.labels?.[REVISION_LABEL] !== world.updateRevision;
    if (!leaving && old) draft.remove.push(pod);
    if (leaving || old || !isSettled(world, pod)) budget--;
  }
}

/** Pure: the next steps towards what a set asks for (k8s pkg/controller/statefulset/stateful_set_control.go). */
export function planStatefulSet(world: StatefulWorld): StatefulPlan {
  const draft: Draft = { create: [], remove: [], relabel: [] };
  if (world.set.metadata.deletionTimestamp) return draft;
  const { slots, condemned } = arrange(world);
  if (fill(world, slots, draft)) return draft;
  if (shrink(world, slots, condemned, draft)) return draft;
  if (world.set.spec?.updateStrategy?.type !== 'OnDelete') roll(world, slots, draft);
  return draft;
}
