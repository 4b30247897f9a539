import type { Pod } from '@orrery/api';
import { requestOf } from '../admission/admission.js';
import { toNumber } from '../containers/downward.js';
import { findContainer, isStaticPod, uidOf } from '../containers/visit.js';
import type { ContainerUsage } from '../runtime/runtime.js';
import type { Signal } from './thresholds.js';

/** What a pod uses of the starved resource, in all and by container. */
export interface PodUse {
  readonly pod: Pod;
  readonly used: number;
  readonly containers: ReadonlyMap<string, number>;
}

/** k8s pkg/apis/scheduling/types.go:SystemCriticalPriority. */
export const SYSTEM_CRITICAL = 2_000_000_000;

export const isCritical = (pod: Pod): boolean =>
  isStaticPod(pod) || (pod.spec.priority ?? 0) >= SYSTEM_CRITICAL;

export type Starved = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';

const RESOURCES: Readonly<Record<Signal, Starved>> = {
  'memory.available': 'memory',
  'nodefs.available': 'ephemeral-storage',
  'nodefs.inodesFree': 'inodes',
  'imagefs.available': 'ephemeral-storage',
  'pid.available': 'pids',
};

export const resourceOf = (signal: Signal): Starved => RESOURCES[signal];

/** Of memory; of processes each container counts as one. */
export function useOf(pod: Pod, usage: readonly ContainerUsage[], resource: Starved): PodUse {
  const own = usage.filter((one) => one.podUid === uidOf(pod));
  const amount = (one: ContainerUsage): number =>
    resource === 'memory' ? one.memoryWorkingSetBytes : 1;
  return {
    pod,
    used: own.reduce((sum, one) => sum + amount(one), 0),
    containers: new Map(own.map((one) => [one.container, amount(one)])),
  };
}

/**
 * Whom to evict first: pods that use more than they asked for, then lower priority, then how far above their requests
 * (k8s pkg/kubelet/eviction/helpers.go:rankMemoryPressure). Critical pods are left out.
 */
export function rankPods(uses: readonly PodUse[], resource: Starved): PodUse[] {
  const ranked = uses
    .filter(({ pod }) => !isCritical(pod))
    .map((use) => ({ use, above: use.used - requestOf(use.pod, resource) }));
  const exceeds = ({ above }: { readonly above: number }): number => (above > 0 ? 1 : 0);
  const priority = ({ pod }: PodUse): number => pod.spec.priority ?? 0;
  return ranked
    .toSorted(
      (a, b) => exceeds(b) - exceeds(a) || priority(a.use) - priority(b.use) || b.above - a.above,
    )
    .map(({ use }) => use);
}

/** Which containers use more than they asked for (k8s pkg/kubelet/eviction/helpers.go:evictionMessage). */
export function containersText({ pod, containers }: PodUse, resource: Starved): string {
  if (resource === 'pids' || resource === 'inodes') return '';
  return [...containers]
    .map(([container, used]) => {
      const request = findContainer(pod, container)?.resources?.requests?.[resource];
      return used > toNumber(request)
        ? `Container ${container} was using ${toBinaryText(used)}, request is ${request ?? '0'}, has larger consumption of ${resource}. `
        : '';
    })
    .join('');
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
