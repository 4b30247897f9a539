import type { Pod, Taint } from '@orrery/api';
import { tolerates } from '../../nodes/taints.js';

/** When a pod has to leave a node with these taints: ms since the epoch, or never. */
export type Departure = number | 'never';

/**
 * Pure: at once for a taint that nothing tolerates; else the shortest tolerationSeconds of the tolerations in use,
 * counted from the taint or, for a younger pod, from the pod (k8s pkg/controller/tainteviction: processPodOnNode).
 * Taints without timeAdded, as kubectl sets them, count from `seenAt`: when the pod was first seen under them.
 */
export function departureOf(
  pod: Pod,
  taints: readonly Taint[],
  now: number,
  seenAt: number,
): Departure {
  const executing = taints.filter(({ effect }) => effect === 'NoExecute');
  let earliest: Departure = 'never';
  for (const taint of executing) {
    const used = (pod.spec?.tolerations ?? []).filter((t) => tolerates(t, taint));
    if (used.length === 0) return now;
    const seconds = used.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
    if (seconds.length === 0) continue;
    const tainted = taint.timeAdded ? Date.parse(taint.timeAdded) : seenAt;
    const since = Math.max(tainted, Date.parse(pod.metadata.creationTimestamp ?? '') || 0);
    const leave = since + Math.max(Math.min(...seconds), 0) * 1000;
    earliest = earliest === 'never' ? leave : Math.min(earliest, leave);
  }
  return earliest;
}
