import type { Pod } from '@orrery/api';
import type { NodeInfo } from '../../cache/node-info.js';
import type { PodInfo } from '../../framework/pod-info.js';

/** What marks a pod that the scheduler evicts. */
export const PREEMPTED = 'PreemptionByScheduler';

const leavesForPreemption = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (status?.conditions ?? []).some(
    ({ type, status: value, reason }) =>
      type === 'DisruptionTarget' && value === 'True' && reason === PREEMPTED,
  );

/** Why the pod may not preempt others; undefined when it may. */
export function whyNotEligible(
  { pod, priority }: PodInfo,
  promised: NodeInfo | undefined,
): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const waits = [...(promised?.pods.values() ?? [])].some(
    (other) => other.priority < priority && leavesForPreemption(other.pod),
  );
  return waits ? 'not eligible due to a terminating pod on the nominated node.' : undefined;
}
