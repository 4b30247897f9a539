import type { Pod } from '@orrery/api';
import { allContainers, isStaticPod } from '../containers/visit.js';

/** Seconds that the pod's containers get to end. */
export function graceOf(pod: Pod): number {
  if (isStaticPod(pod) && pod.spec.terminationGracePeriodSeconds === undefined) return 30;
  return pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** Grace of a kill by a failed probe, where the probe sets its own. */
export function probeGraceOf(pod: Pod, name: string): number | undefined {
  const container = allContainers(pod).find((one) => one.name === name);
  return (
    container?.livenessProbe?.terminationGracePeriodSeconds ??
    container?.startupProbe?.terminationGracePeriodSeconds
  );
}
