import type { StatefulSetStatus } from '@orrery/api';
import { omitEmpty } from '@orrery/controller';
import { isAvailable, isReady } from '../../pods/pod-state.js';
import { REVISION_LABEL, replicasOf } from './stateful-identity.js';
import { isTerminating } from './statefulset.decide.js';
import type { StatefulWorld } from './statefulset.decide.js';

/** Pure: what the pods mean for the status; a finished rollout makes the update revision the current one. */
export function statefulSetStatus(world: StatefulWorld): StatefulSetStatus {
  const { set, pods, currentRevision, updateRevision, now } = world;
  const minReady = set.spec?.minReadySeconds ?? 0;
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isReady(pod));
  const alive = pods.filter((pod) => !isTerminating(pod));
  const having = (revision: string): number =>
    alive.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === revision).length;
  const updated = having(updateRevision);
  const wanted = replicasOf(set);
  const rolled =
    set.spec?.updateStrategy?.type !== 'OnDelete' &&
    [updated, ready.length, alive.length].every((count) => count === wanted);
  return {
    // Those that end are counted as long as they are there, as among the ready ones.
    replicas: pods.length,
    availableReplicas: ready.filter((pod) => isAvailable(pod, minReady, now)).length,
    collisionCount: world.collisions,
    ...omitEmpty({
      readyReplicas: ready.length,
      currentReplicas: rolled ? updated : having(currentRevision),
      updatedReplicas: updated,
      currentRevision: rolled ? updateRevision : currentRevision,
      updateRevision,
      observedGeneration: set.metadata.generation ?? 0,
      conditions: set.status?.conditions,
    }),
  } as StatefulSetStatus;
}
