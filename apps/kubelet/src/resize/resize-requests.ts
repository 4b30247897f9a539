import type { Pod } from '@orrery/api';
import { toNumber } from '../containers/downward.js';
import { findContainer, initContainersOf } from '../containers/visit.js';

/** One change that a resize asks for; the labels of upstream's metric. */
export interface ResizeRequestLabels {
  readonly resource: 'cpu' | 'memory';
  readonly requirement: 'requests' | 'limits';
  readonly operation: 'add' | 'remove' | 'increase' | 'decrease';
}

function operationOf(before: number, after: number): ResizeRequestLabels['operation'] | undefined {
  if (before === after) return undefined;
  if (before === 0) return 'add';
  if (after === 0) return 'remove';
  return before < after ? 'increase' : 'decrease';
}

/** What the newer pod asks for its containers otherwise than the older (k8s pkg/kubelet/kubelet.go:recordContainerResizeOperations). */
export function resizeRequests(older: Pod, newer: Pod): readonly ResizeRequestLabels[] {
  return [...initContainersOf(newer), ...newer.spec.containers].flatMap(({ name, resources }) => {
    const before = findContainer(older, name);
    if (!before) return [];
    return (['cpu', 'memory'] as const).flatMap((resource) =>
      (['requests', 'limits'] as const).flatMap((requirement) => {
        const operation = operationOf(
          toNumber(before.resources?.[requirement]?.[resource]),
          toNumber(resources?.[requirement]?.[resource]),
        );
        return operation ? [{ resource, requirement, operation }] : [];
      }),
    );
  });
}
