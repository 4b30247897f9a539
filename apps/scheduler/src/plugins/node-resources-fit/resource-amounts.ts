import type { NodeInfo } from '../../cache/node-info.js';
import type { Resources } from '../../framework/resources.js';

export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}

export const CPU_AND_MEMORY: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/** The amount of a resource by its API name. */
export function amountOf(from: Resources, name: string): number {
  switch (name) {
    case 'cpu':
      return from.milliCpu;
    case 'memory':
      return from.memory;
    case 'ephemeral-storage':
      return from.ephemeralStorage;
    default:
      return from.scalars.get(name) ?? 0;
  }
}

/** What would be in use on the node with the pod; cpu and memory may count containers that ask for nothing. */
export function usedWith(
  node: NodeInfo,
  pod: { readonly request: Resources; readonly nonZeroRequest: Resources },
  name: string,
  nonZero: boolean,
): number {
  const counted = nonZero && (name === 'cpu' || name === 'memory');
  return counted
    ? amountOf(node.nonZeroRequested, name) + amountOf(pod.nonZeroRequest, name)
    : amountOf(node.requested, name) + amountOf(pod.request, name);
}
