import type { Node, Pod } from '@orrery/api';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import type { ClusterEvent } from '../../framework/cluster-event.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { givesBack, newResources, podRequest, toResources } from '../../framework/resources.js';
import type { Resources } from '../../framework/resources.js';
import { success, unresolvable, unschedulable } from '../../framework/status.js';
import { classOfResource } from '../dynamic-resources/extended/device-class-resolver.js';
import { findShortages } from './insufficient.js';
import type { Shortage } from './insufficient.js';
import { parseFitArgs } from './fit-args.js';
import { scoreAllocation } from './scoring-strategy.js';

const NAME = 'NodeResourcesFit';

/** Whether a shortage on a node is none. */
type IsIgnored = (shortage: Shortage, allocatable: Resources) => boolean;

/** An empty node of that size would do. */
function fitsEmpty(pod: Pod, node: Node, isIgnored: IsIgnored): boolean {
  const allocatable = toResources(node.status?.allocatable);
  const empty = { allocatable, requested: newResources(), pods: new Map() };
  return findShortages(podRequest(pod), empty).every((each) => isIgnored(each, allocatable));
}

/** A pod on a node takes less of what the pod asks for (k8s noderesources/fit.go:isSchedulableAfterPodScaleDown). */
function shrank(pod: Pod, event: ClusterEvent): boolean {
  const old = oldOf<Pod>(event);
  return !old || givesBack(podRequest(old), podRequest(newOf(event)), podRequest(pod));
}

function grew(event: ClusterEvent): boolean {
  const old = oldOf<Node>(event);
  if (!old) return true;
  const [before, after] = [old, newOf<Node>(event)].map((n) => toResources(n.status?.allocatable));
  if (!before || !after) return true;
  return (
    after.milliCpu > before.milliCpu ||
    after.memory > before.memory ||
    after.ephemeralStorage > before.ephemeralStorage ||
    after.pods > before.pods ||
    [...after.scalars].some(([name, amount]) => amount > (before.scalars.get(name) ?? 0))
  );
}

/** A node must have what the pod requests; of those that have, emptier (or fuller) ones score more. */
export const nodeResourcesFit: PluginEntry = {
  name: NAME,
  create({ listers }, args) {
    const { strategy, isIgnored: isIgnoredReason } = parseFitArgs(args);
    // What a node has none of may be devices: DynamicResources looks for them (k8s fit.go:shouldDelegateResourceToDRA).
    const isDelegated = (name: string, { scalars }: Resources): boolean =>
      name.includes('/') &&
      !scalars.get(name) &&
      classOfResource(name, listers.deviceClasses.list()) !== undefined;
    const isIgnored: IsIgnored = ({ reason, resource }, allocatable) =>
      isIgnoredReason(reason) || isDelegated(resource, allocatable);
    return {
      name: NAME,
      local: true,
      events: [
        { on: ['AssignedPodDelete', 'DeviceClass'] },
        { on: ['AssignedPodUpdate'], helps: shrank },
        {
          on: ['NodeAdd', 'NodeAllocatable'],
          helps: (pod, event) => grew(event) && fitsEmpty(pod, newOf(event), isIgnored),
        },
      ],
      filter(_state, { request }, node) {
        const short = findShortages(request, node).filter(
          (each) => !isIgnored(each, node.allocatable),
        );
        if (short.length === 0) return success;
        const reasons = short.map(({ reason }) => reason);
        return short.some(({ hopeless }) => hopeless)
          ? unresolvable(...reasons)
          : unschedulable(...reasons);
      },
      score: (_state, pod, node) => scoreAllocation(strategy, pod, node),
    };
  },
};
