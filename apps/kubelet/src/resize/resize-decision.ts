import type { Pod } from '@orrery/api';
import { requestOf } from '../admission/admission.js';
import { toNumber } from '../containers/downward.js';
import { isStaticPod } from '../containers/visit.js';

export interface ResizeRequest {
  /** With the resources that are asked for. */
  readonly pod: Pod;
  /** Other pods of the node with what they were granted. */
  readonly others: readonly Pod[];
  readonly allocatable: Readonly<Record<string, string>>;
}

export type ResizeDecision =
  | { readonly verdict: 'granted' }
  | { readonly verdict: 'Deferred'; readonly message: string }
  | {
      readonly verdict: 'Infeasible';
      readonly message: string;
      /** How upstream's metric names it. */
      readonly detail: 'static_pod' | 'insufficient_node_allocatable';
    };

const RESOURCES = ['cpu', 'memory'] as const;

const inUnits = (resource: string, amount: number): number =>
  resource === 'cpu' ? Math.round(amount * 1000) : amount;

/** Whether the node can give what a resize asks for: now, later, or never (k8s pkg/kubelet/allocation/allocation_manager.go:canResizePod). */
export function decideResize({ pod, others, allocatable }: ResizeRequest): ResizeDecision {
  if (isStaticPod(pod))
    return {
      verdict: 'Infeasible',
      message: 'In-place resize of static-pods is not supported',
      detail: 'static_pod',
    };
  for (const resource of RESOURCES) {
    const wanted = requestOf(pod, resource);
    const capacity = toNumber(allocatable[resource]);
    if (wanted > capacity)
      return {
        verdict: 'Infeasible',
        message: `Node didn't have enough capacity: ${resource}, requested: ${inUnits(resource, wanted)}, capacity: ${inUnits(resource, capacity)}`,
        detail: 'insufficient_node_allocatable',
      };
  }
  for (const resource of RESOURCES) {
    const wanted = requestOf(pod, resource);
    const used = others.reduce((sum, other) => sum + requestOf(other, resource), 0);
    const capacity = toNumber(allocatable[resource]);
    if (wanted > 0 && used + wanted > capacity)
      return {
        verdict: 'Deferred',
        message: `Node didn't have enough resource: ${resource}, requested: ${inUnits(resource, wanted)}, used: ${inUnits(resource, used)}, capacity: ${inUnits(resource, capacity)}`,
      };
  }
  return { verdict: 'granted' };
}
