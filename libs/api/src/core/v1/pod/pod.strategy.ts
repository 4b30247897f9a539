import type { Pod, PodCondition, PodStatus } from '../../../types.js';
import type { Strategy } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { validateMetaUpdate } from '../../../meta/object-meta.js';
import { qosClassOf } from './pod-qos.js';
import {
  validatePod,
  validatePodCreate,
  validatePodStatus,
  validatePodUpdate,
} from './pod.validation.js';

const GATED: PodCondition = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
};

function initialStatus(pod: Pod): PodStatus {
  const gated = list(pod.spec?.schedulingGates).length > 0;
  return {
    phase: 'Pending',
    qosClass: qosClassOf(pod.spec ?? { containers: [] }),
    ...(gated ? { conditions: [{ ...GATED }] } : {}),
  };
}

const base = strategyOf<Pod>({
  namespaced: true,
  ownsStatus: true,
  initialStatus,
  check: validatePod,
  checkUpdate: validatePodUpdate,
});

/** k8s pkg/registry/core/pod/strategy.go:podStrategy. */
export const podStrategy: Strategy<Pod> = {
  ...base,
  validate: (pod, context) => [...(base.validate?.(pod, context) ?? []), ...validatePodCreate(pod)],
};

/** pods/status: owner references stay as they are; the QoS class is for ever. */
export const podStatusStrategy: Strategy<Pod> = statusStrategyOf<Pod>(
  validatePodStatus,
  (pod, old) => {
    pod.metadata.ownerReferences = structuredClone(old.metadata.ownerReferences);
    if (pod.metadata.ownerReferences === undefined) delete pod.metadata.ownerReferences;
    const qosClass = old.status?.qosClass;
    if (pod.status && qosClass) pod.status.qosClass = qosClass;
  },
);

/** Takes from the request only what `pick` copies; everything else is the stored pod's. */
function narrowStrategy(pick: (pod: Pod, stored: Pod) => void): Strategy<Pod> {
  return {
    prepareForUpdate(pod, old) {
      const stored = structuredClone(old);
      pick(pod, stored);
      pod.spec = stored.spec;
      if (stored.status) pod.status = stored.status;
      else delete pod.status;
    },
    validateUpdate: (pod, old) => [...validateMetaUpdate(pod, old), ...validatePod(pod)],
  };
}

/** pods/ephemeralcontainers: adds debug containers to a running pod. */
export const podEphemeralContainersStrategy: Strategy<Pod> = narrowStrategy((pod, stored) => {
  if (pod.spec?.ephemeralContainers) stored.spec.ephemeralContainers = pod.spec.ephemeralContainers;
});

/** pods/resize: changes requests and limits of containers in place. */
export const podResizeStrategy: Strategy<Pod> = narrowStrategy((pod, stored) => {
  for (const field of ['containers', 'initContainers'] as const) {
    for (const container of list(stored.spec[field])) {
      const asked = list(pod.spec?.[field]).find((each) => each.name === container.name);
      if (asked?.resources) container.resources = asked.resources;
    }
  }
});

/** k8s pkg/registry/core/pod/strategy.go:CheckGracefulDelete, for a delete that names no period. */
export function podGracePeriodSeconds(pod: Pod): number {
  const isOver = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
  if (!pod.spec?.nodeName || isOver) return 0;
  const seconds = pod.spec.terminationGracePeriodSeconds ?? 30;
  return seconds < 0 ? 1 : seconds;
}
