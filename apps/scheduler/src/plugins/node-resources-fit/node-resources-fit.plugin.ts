import type { Node, Pod } from '@orrery/api';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import type { ClusterEvent } from '../../framework/cluster-event.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { givesBack, newResources, podRequest, toResources } from '../../framework/resources.js';
import { success, unresolvable, unschedulable } from '../../framework/status.js';
import { findShortages } from './insufficient.js';
import { parseFitArgs } from './fit-args.js';
import { scoreAllocation } from './scoring-strategy.js';

const NAME = 'NodeResourcesFit';

/** An empty node of that size would do. */
function fitsEmpty(pod: Pod, node: Node, isIgnored: (reason: string) => boolean): boolean {
  const allocatable = toResources(node.status?.allocatable);
  const empty = { allocatable, requested: newResources(), pods: new Map() };
  return findShortages(podRequest(pod), empty).every(({ reason }) => isIgnored(reason));
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
  create(_context, args) {
    const { strategy, isIgnored } = parseFitArgs(args);
    return {
      name: NAME,
      local: true,
      events: [
        { on: ['AssignedPodDelete'] },
        { on: ['AssignedPodUpdate'], helps: shrank },
        {
          on: ['NodeAdd', 'NodeAllocatable'],
          helps: (pod, event) => grew(event) && fitsEmpty(pod, newOf(event), isIgnored),
        },
      ],
      filter(_state, { request }, node) {
        const short = findShortages(request, node).filter(({ reason }) => !isIgnored(reason));
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
