import type { Node, NodeCondition, Taint } from '@orrery/api';
import { toTime } from '@orrery/component';
import { NOT_READY, UNREACHABLE, sameTaint } from '../../nodes/taints.js';

export type NodeHealth = 'Ready' | 'NotReady' | 'Unknown';

export const conditionOf = (node: Node, type: string): NodeCondition | undefined =>
  node.status?.conditions?.find((condition) => condition.type === type);

export function healthOf(node: Node): NodeHealth {
  const status = conditionOf(node, 'Ready')?.status;
  return status === 'True' ? 'Ready' : status === 'False' ? 'NotReady' : 'Unknown';
}

/** Conditions that a kubelet keeps, and that nobody knows once it is silent. */
const KEPT_BY_KUBELET = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

/** Pure: the conditions of a node whose kubelet is silent; undefined when they say so already. */
export function silentConditions(node: Node, now: number): NodeCondition[] | undefined {
  const before = node.status?.conditions ?? [];
  const time = toTime(now);
  let changed = false;
  const unknown = KEPT_BY_KUBELET.map((type): NodeCondition => {
    const current = before.find((condition) => condition.type === type);
    if (current?.status === 'Unknown') return current;
    changed = true;
    if (!current)
      return {
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp ?? time,
        lastTransitionTime: time,
      };
    return {
      ...current,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: time,
    };
  });
  if (!changed) return undefined;
  const others = before.filter(({ type }) => !KEPT_BY_KUBELET.some((kept) => kept === type));
  return [...others, ...unknown];
}

/** Taints of effect NoSchedule by the condition status that brings them (k8s nodelifecycle: nodeConditionToTaintKeyStatusMap). */
const BY_CONDITION: readonly (readonly [type: string, status: string, key: string])[] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
];

const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

const MANAGED: ReadonlySet<string> = new Set([
  ...BY_CONDITION.map(([, , key]) => key),
  UNSCHEDULABLE,
]);

function noScheduleTaints(node: Node): Taint[] {
  const keys = BY_CONDITION.filter(([type, status]) => conditionOf(node, type)?.status === status);
  const taints = keys.map(([, , key]): Taint => ({ key, effect: 'NoSchedule' }));
  if (node.spec?.unschedulable) taints.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  return taints;
}

function noExecuteTaint(node: Node): Taint | undefined {
  const health = healthOf(node);
  if (health === 'Ready' || !conditionOf(node, 'Ready')) return undefined;
  return { key: health === 'Unknown' ? UNREACHABLE : NOT_READY, effect: 'NoExecute' };
}

/** Whether a NoExecute taint would be new: such steps are limited in number per time. */
export function wantsEviction(node: Node): boolean {
  const wanted = noExecuteTaint(node);
  if (!wanted) return false;
  return !(node.spec?.taints ?? []).some(
    ({ key, effect }) => effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE),
  );
}

const sameTaints = (a: readonly Taint[], b: readonly Taint[]): boolean =>
  a.length === b.length && a.every((taint) => b.some((other) => sameTaint(taint, other)));

/** Whether a node may get the NoExecute taint: now, not yet, or not at all, since no node can be heard. */
export type Eviction = 'may' | 'wait' | 'never';

/** Pure: the taints that the node should have; undefined when it has them. */
export function wantedTaints(node: Node, eviction: Eviction, now: number): Taint[] | undefined {
  const before = node.spec?.taints ?? [];
  const isManaged = ({ key, effect }: Taint): boolean =>
    MANAGED.has(key) &&
    (effect === 'NoSchedule' ||
      (effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)));
  const wanted = noScheduleTaints(node);
  const evict = noExecuteTaint(node);
  const evicting = evict && eviction !== 'never' && (eviction === 'may' || !wantsEviction(node));
  if (evicting) wanted.push(evict);
  const timed = (taint: Taint): Taint => ({ ...taint, timeAdded: toTime(now) });
  const kept = wanted.map((taint) => before.find((o) => sameTaint(taint, o)) ?? timed(taint));
  const taints = [...before.filter((taint) => !isManaged(taint)), ...kept];
  return sameTaints(taints, before) ? undefined : taints;
}
