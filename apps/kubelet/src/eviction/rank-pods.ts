import type { Pod } from '@orrery/api';
import { requestOf } from '../admission/admission.js';
import { isStaticPod, uidOf } from '../containers/visit.js';
import type { ContainerUsage } from '../runtime/runtime.js';
import type { Signal } from './thresholds.js';

export interface Ranked {
  readonly pod: Pod;
  /** Of the starved resource. */
  readonly used: number;
  readonly requested: number;
}

/** k8s pkg/apis/scheduling/types.go:SystemCriticalPriority. */
const SYSTEM_CRITICAL = 2_000_000_000;

export const isCritical = (pod: Pod): boolean =>
  isStaticPod(pod) || (pod.spec.priority ?? 0) >= SYSTEM_CRITICAL;

const RESOURCES: Readonly<Record<Signal, 'memory' | 'ephemeral-storage' | 'pids'>> = {
  'memory.available': 'memory',
  'nodefs.available': 'ephemeral-storage',
  'nodefs.inodesFree': 'ephemeral-storage',
  'imagefs.available': 'ephemeral-storage',
  'pid.available': 'pids',
};

export const resourceOf = (signal: Signal): 'memory' | 'ephemeral-storage' | 'pids' =>
  RESOURCES[signal];

const measure = (signal: Signal, usage: ContainerUsage): number => {
  switch (resourceOf(signal)) {
    case 'memory':
      return usage.memoryWorkingSetBytes;
    case 'ephemeral-storage':
      return usage.writableLayerBytes;
    case 'pids':
      return 1;
  }
};

/**
 * Whom to evict first: pods that use more than they asked for, then lower priority, then how far above their requests
 * (k8s pkg/kubelet/eviction/helpers.go:rankMemoryPressure). Critical pods are left out.
 */
export function rankPods(
  pods: readonly Pod[],
  usage: readonly ContainerUsage[],
  signal: Signal,
): Ranked[] {
  const resource = resourceOf(signal);
  const ranked = pods
    .filter((pod) => !isCritical(pod))
    .map((pod) => ({
      pod,
      used: usage
        .filter((one) => one.podUid === uidOf(pod))
        .reduce((sum, one) => sum + measure(signal, one), 0),
      requested: requestOf(pod, resource),
    }));
  const exceeds = (one: Ranked): number => (one.used > one.requested ? 1 : 0);
  return ranked.toSorted(
    (a, b) =>
      exceeds(b) - exceeds(a) ||
      (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0) ||
      b.used - b.requested - (a.used - a.requested),
  );
}

/** `250Mi`, `1Gi`, `100`: Go's text of a binary quantity. */
export function toBinaryText(amount: number): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
  let value = Math.max(0, Math.floor(amount));
  let unit = 0;
  while (value > 0 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value}${units[unit] ?? ''}`;
}
