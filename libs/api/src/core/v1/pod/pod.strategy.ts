import type { FieldError } from '@orrery/apimachinery';
import { cloneJson, ipWarning } from '@orrery/apimachinery';
import type { Container, Pod, PodCondition, PodStatus } from '../../../types.js';
import type { KindContext, Strategy } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { validateMetaUpdate } from '../../../meta/object-meta.js';
import { dropDisabledFields } from '../pod-template/disabled-fields.js';
import { podWarnings } from '../pod-warnings/pod-warnings.js';
import { podNameWarnings, prepareNewPod } from './pod-create.js';
import { qosClassOf } from './pod-qos.js';
import { validatePodStatus } from './pod-status.validation.js';
import { validateEphemeralUpdate, validateResize } from './pod-subresources.validation.js';
import { validatePodUpdate } from './pod-update.validation.js';
import { validatePod, validatePodCreate } from './pod.validation.js';

const initialStatus = (pod: Pod): PodStatus => ({
  phase: 'Pending',
  qosClass: qosClassOf(pod.spec ?? { containers: [] }),
});

/** k8s pkg/registry/core/pod/strategy.go:applySchedulingGatedCondition; the time it was never probed at is written as null. */
function tellOfGates({ spec, status }: Pod, { now }: KindContext): void {
  if (!status || list(spec?.schedulingGates).length === 0) return;
  const gated: Omit<PodCondition, 'lastProbeTime'> & { readonly lastProbeTime: null } = {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: now,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
  status.conditions = [gated as unknown as PodCondition];
}

/** k8s pkg/registry/core/pod/strategy.go:podStrategy. */
export const podStrategy: Strategy<Pod> = strategyOf<Pod>({
  namespaced: true,
  ownsStatus: true,
  initialStatus,
  prepareForCreate(pod, context) {
    dropDisabledFields(pod.spec);
    prepareNewPod(pod, context);
    tellOfGates(pod, context);
  },
  prepareForUpdate: ({ spec }, old) => dropDisabledFields(spec, old.spec),
  check: validatePod,
  checkCreate: validatePodCreate,
  checkUpdate: validatePodUpdate,
  // People rarely update pods by hand, so upstream warns at their creation alone.
  warnings: (pod, old) => (old ? [] : [...podNameWarnings(pod), ...podWarnings(pod)]),
});

/** Generations that a client of old does not tell stay, those of conditions in the order of their types. */
function keepGenerations(status: PodStatus, old: PodStatus | undefined): void {
  if (old?.observedGeneration) status.observedGeneration ||= old.observedGeneration;
  for (const condition of list(status.conditions)) {
    const before = old?.conditions?.find(({ type }) => type === condition.type);
    const generation = before?.observedGeneration;
    if (generation) condition.observedGeneration ||= generation;
  }
}

const statusStrategy: Strategy<Pod> = statusStrategyOf<Pod>(validatePodStatus, (pod, old) => {
  pod.metadata.ownerReferences = cloneJson(old.metadata.ownerReferences);
  if (pod.metadata.ownerReferences === undefined) delete pod.metadata.ownerReferences;
  if (old.metadata.deletionTimestamp === undefined) delete pod.metadata.deletionTimestamp;
  else pod.metadata.deletionTimestamp = old.metadata.deletionTimestamp;
  if (!pod.status) return;
  const qosClass = old.status?.qosClass;
  if (qosClass) pod.status.qosClass ||= qosClass;
  keepGenerations(pod.status, old.status);
});

const addressWarnings = (pod: Pod): string[] =>
  (['podIPs', 'hostIPs'] as const)
    .flatMap((field) =>
      list<{ ip?: string }>(pod.status?.[field]).map(({ ip = '' }, i) =>
        ipWarning(`status.${field}[${i}].ip`, ip),
      ),
    )
    .filter((warning) => warning !== undefined);

/** pods/status: owner references stay as they are; the QoS class is for ever. */
export const podStatusStrategy: Strategy<Pod> = {
  ...statusStrategy,
  validateUpdate(pod, old, context) {
    const findings = statusStrategy.validateUpdate?.(pod, old, context) ?? [];
    if (findings.length === 0) for (const text of addressWarnings(pod)) context.warn(text);
    return findings;
  },
};

type CheckUpdate = (pod: Pod, old: Pod) => readonly FieldError[];

/** Takes from the request only what `pick` copies; everything else is the stored pod's. */
function narrowStrategy(
  pick: (pod: Pod, stored: Pod) => void,
  checkUpdate: CheckUpdate,
): Strategy<Pod> {
  return {
    prepareForUpdate(pod, old) {
      const stored = cloneJson(old);
      pick(pod, stored);
      const { resourceVersion, managedFields } = pod.metadata;
      pod.metadata = {
        ...stored.metadata,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(managedFields === undefined ? {} : { managedFields }),
      };
      pod.spec = stored.spec;
      if (stored.status) pod.status = stored.status;
      else delete pod.status;
    },
    validateUpdate: (pod, old) => [
      ...validateMetaUpdate(pod, old),
      ...validatePod(pod),
      ...checkUpdate(pod, old),
    ],
  };
}

/** pods/ephemeralcontainers: adds debug containers to a running pod. */
export const podEphemeralContainersStrategy: Strategy<Pod> = narrowStrategy((pod, stored) => {
  if (pod.spec?.ephemeralContainers) stored.spec.ephemeralContainers = pod.spec.ephemeralContainers;
  else delete stored.spec.ephemeralContainers;
}, validateEphemeralUpdate);

/** Containers of the request with everything but resources and resize policy as it is stored. */
function resized(
  asked: readonly Container[] | undefined,
  stored: readonly Container[] | undefined,
): Container[] {
  return list(asked).map((container, i) => {
    const before = list(stored)[i];
    // What cannot be told apart is left as asked, so that validation can name it.
    if (before?.name !== container.name) return container;
    const { resources, resizePolicy } = container;
    return {
      ...before,
      ...(resources ? { resources } : {}),
      ...(resizePolicy ? { resizePolicy } : {}),
    };
  });
}

/** pods/resize: changes requests and limits of containers, and of the pod, in place (dropNonResizeUpdates). */
export const podResizeStrategy: Strategy<Pod> = narrowStrategy((pod, stored) => {
  if (pod.spec?.resources) stored.spec.resources = pod.spec.resources;
  else delete stored.spec.resources;
  stored.spec.containers = resized(pod.spec?.containers, stored.spec.containers);
  if (stored.spec.initContainers || pod.spec?.initContainers) {
    stored.spec.initContainers = resized(pod.spec?.initContainers, stored.spec.initContainers);
  }
}, validateResize);

/** k8s pkg/registry/core/pod/strategy.go:CheckGracefulDelete, for a delete that names no period. */
export function podGracePeriodSeconds(pod: Pod): number {
  const isOver = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
  if (!pod.spec?.nodeName || isOver) return 0;
  const seconds = pod.spec.terminationGracePeriodSeconds ?? 30;
  return seconds < 0 ? 1 : seconds;
}
