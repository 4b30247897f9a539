import type { Deployment, ReplicaSet } from '@orrery/api';
import { resources } from '@orrery/api';
import { toControllerRef } from '@orrery/controller';
import { HASH_LABEL, sameTemplate, templateHash } from './pod-template-hash.js';
import type { Resize, Rollout } from './rollout.js';
import {
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  REVISION,
  REVISION_HISTORY,
  byAge,
  desiredOf,
  fenceposts,
  revisionOf,
  sizeOf,
} from './rollout.js';

/** Annotations of a Deployment that its ReplicaSets do not get (k8s deployment_util.go: annotationsToSkip). */
const NOT_COPIED: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

/** Splits a Deployment's ReplicaSets by template. */
export function toRollout(deployment: Deployment, sets: readonly ReplicaSet[]): Rollout {
  const sorted = [...sets].sort(byAge);
  const { template } = deployment.spec;
  const newSet = sorted.find((rs) => rs.spec?.template && sameTemplate(rs.spec.template, template));
  return { deployment, newSet, oldSets: sorted.filter((rs) => rs !== newSet) };
}

/** The revision that the current template has or gets: one more than the highest of the others. */
export const currentRevision = ({ oldSets }: Rollout): bigint =>
  oldSets.map(revisionOf).reduce((highest, one) => (one > highest ? one : highest), 0n) + 1n;

const sizeNotes = (deployment: Deployment): Record<string, string> => ({
  [DESIRED_REPLICAS]: String(desiredOf(deployment)),
  [MAX_REPLICAS]: String(desiredOf(deployment) + fenceposts(deployment).surge),
});

const copiedAnnotations = (deployment: Deployment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !NOT_COPIED.has(name)),
  );

/** The ReplicaSet of the current template, of `replicas` pods. */
export function newReplicaSet(rollout: Rollout, replicas: number): ReplicaSet {
  const { deployment } = rollout;
  const { metadata, spec } = deployment;
  const hash = templateHash(spec.template, deployment.status?.collisionCount ?? 0);
  const template = structuredClone(spec.template);
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  template.metadata = { ...template.metadata, labels };
  return {
    metadata: {
      name: `${metadata.name ?? ''}-${hash}`,
      namespace: metadata.namespace ?? '',
      labels: { ...labels },
      annotations: {
        ...copiedAnnotations(deployment),
        ...sizeNotes(deployment),
        [REVISION]: String(currentRevision(rollout)),
      },
      ownerReferences: [toControllerRef(resources.deployments, deployment)],
    },
    spec: {
      replicas,
      ...(spec.minReadySeconds ? { minReadySeconds: spec.minReadySeconds } : {}),
      selector: {
        ...spec.selector,
        matchLabels: { ...spec.selector.matchLabels, [HASH_LABEL]: hash },
      },
      template,
    },
  };
}

/** The new set with the revision, annotations and minReadySeconds it should have; undefined when it has them. */
export function refreshedNewSet(rollout: Rollout): ReplicaSet | undefined {
  const { newSet, deployment } = rollout;
  if (!newSet?.spec) return undefined;
  const revision = currentRevision(rollout);
  const annotations: Record<string, string> = {
    ...newSet.metadata.annotations,
    ...copiedAnnotations(deployment),
  };
  const old = revisionOf(newSet);
  if (old < revision) {
    annotations[REVISION] = String(revision);
    if (old > 0)
      annotations[REVISION_HISTORY] = [annotations[REVISION_HISTORY], old]
        .filter(Boolean)
        .join(',');
  }
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const before = newSet.metadata.annotations ?? {};
  const changed =
    minReadySeconds !== (newSet.spec.minReadySeconds ?? 0) ||
    Object.entries(annotations).some(([name, value]) => before[name] !== value);
  if (!changed) return undefined;
  return {
    ...newSet,
    metadata: { ...newSet.metadata, annotations },
    spec: { ...newSet.spec, minReadySeconds },
  };
}

/** The set in its new size, noting for which size of the Deployment; undefined when nothing changes. */
export function resized(
  deployment: Deployment,
  { replicaSet, replicas }: Resize,
): ReplicaSet | undefined {
  const notes = sizeNotes(deployment);
  const { annotations = {} } = replicaSet.metadata;
  const noted = Object.entries(notes).every(([name, value]) => annotations[name] === value);
  if ((noted && sizeOf(replicaSet) === replicas) || !replicaSet.spec) return undefined;
  return {
    ...replicaSet,
    metadata: { ...replicaSet.metadata, annotations: { ...annotations, ...notes } },
    spec: { ...replicaSet.spec, replicas },
  };
}

/** Old sets beyond revisionHistoryLimit that are empty and settled, oldest revision first. */
export function surplusSets({ deployment, oldSets }: Rollout): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const alive = oldSets.filter((rs) => !rs.metadata.deletionTimestamp);
  const surplus = Math.max(alive.length - limit, 0);
  return alive
    .sort((a, b) => (revisionOf(a) < revisionOf(b) ? -1 : 1))
    .slice(0, surplus)
    .filter(
      (rs) =>
        sizeOf(rs) === 0 &&
        (rs.status?.replicas ?? 0) === 0 &&
        (rs.metadata.generation ?? 0) <= (rs.status?.observedGeneration ?? 0),
    );
}
