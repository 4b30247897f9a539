import type { Pod } from '@orrery/api';
import { exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import { isReady } from '../../pods/pod-state.js';

/** Tells which of the pods go, at which time (unix ms). */
export type PodsChosen = (pods: readonly Pod[], chosen: readonly Pod[], now: number) => void;

const createdAt = ({ metadata }: Pod): number => Date.parse(metadata.creationTimestamp ?? '') || 0;

/** Pure: ages of the ready pods that go, as whole multiples of the youngest ready one's (replica_set.go). */
export function ageRatios(pods: readonly Pod[], chosen: readonly Pod[], now: number): number[] {
  const youngest = now - Math.max(0, ...pods.filter(isReady).map(createdAt));
  return chosen
    .filter(isReady)
    .map((pod) => Math.trunc((now - createdAt(pod)) / Math.max(youngest, 1)));
}

/** k8s pkg/controller/replicaset/metrics/metrics.go. */
export function createReplicaSetMeters(metrics: Metrics): PodsChosen {
  const ratio = metrics.histogram({
    name: 'replicaset_controller_sorting_deletion_age_ratio',
    help: "The ratio of chosen deleted pod's ages to the current youngest pod's age (at the time). Should be <2. The intent of this metric is to measure the rough efficacy of the LogarithmicScaleDown feature gate's effect on the sorting (and deletion) of pods when a replicaset scales down. This only considers Ready pods when calculating and reporting.",
    buckets: exponentialBuckets(0.25, 2, 6),
  });
  return (pods, chosen, now) => {
    for (const each of ageRatios(pods, chosen, now)) ratio.observe(each);
  };
}
