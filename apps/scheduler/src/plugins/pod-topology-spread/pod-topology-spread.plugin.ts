import type { Node, Pod } from '@orrery/api';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import type { ClusterEvent } from '../../framework/cluster-event.js';
import { StateKey } from '../../framework/cycle-state.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { skip, success } from '../../framework/status.js';
import { defaultConstraints } from './default-constraints.js';
import { readSpreadArgs } from './spread-args.js';
import { constraintsOf } from './spread-constraint.js';
import type { Action, SpreadConstraint } from './spread-constraint.js';
import { SpreadCounts } from './spread-filter.js';
import { normalizeSpread, scoreSpread, sumSpread } from './spread-score.js';
import type { SpreadTotals } from './spread-score.js';

const NAME = 'PodTopologySpread';

const hard = new StateKey<SpreadCounts>(`${NAME}/hard`, (counts) => counts.clone());
const soft = new StateKey<SpreadTotals>(`${NAME}/soft`);

/** Pods that the event is about come to count, or no longer count, for a constraint. */
function isCounted(
  constraints: readonly SpreadConstraint[],
  pod: Pod,
  event: ClusterEvent,
): boolean {
  const { namespace } = pod.metadata;
  return [newOf<Pod | undefined>(event), oldOf<Pod>(event)].some(
    (other) =>
      other?.metadata.namespace === namespace &&
      constraints.some(({ selector }) => selector.matches(other?.metadata.labels)),
  );
}

/** The node has all the labels, or had them: there may be other domains now. */
function changesDomains(constraints: readonly SpreadConstraint[], event: ClusterEvent): boolean {
  return [newOf<Node | undefined>(event), oldOf<Node>(event)].some((node) =>
    constraints.every(({ topologyKey }) => node?.metadata.labels?.[topologyKey] !== undefined),
  );
}

/** Keeps the pods of a group even over the domains of a topology. */
export const podTopologySpread: PluginEntry = {
  name: NAME,
  weight: 2,
  create({ nodes, listers }, args) {
    const defaults = readSpreadArgs(args);
    const toConstraints = (pod: Pod, action: Action): SpreadConstraint[] =>
      (pod.spec.topologySpreadConstraints ?? []).length > 0
        ? constraintsOf(pod, action)
        : defaultConstraints(pod, listers, defaults.of(action));
    return {
      name: NAME,
      events: [
        {
          on: ['AssignedPodAdd', 'AssignedPodUpdate', 'AssignedPodDelete'],
          helps: (pod, event) => isCounted(toConstraints(pod, 'DoNotSchedule'), pod, event),
        },
        {
          on: ['NodeAdd', 'NodeDelete', 'NodeLabel', 'NodeTaint'],
          helps: (pod, event) => changesDomains(toConstraints(pod, 'DoNotSchedule'), event),
        },
      ],
      preFilter(state, { pod }) {
        const constraints = toConstraints(pod, 'DoNotSchedule');
        if (constraints.length === 0) return { status: skip };
        state.set(hard, SpreadCounts.of(pod, constraints, nodes));
        return { status: success };
      },
      addPod(state, { pod }, added, node) {
        state.get(hard)?.change(pod, added, node, 1);
      },
      removePod(state, { pod }, removed, node) {
        state.get(hard)?.change(pod, removed, node, -1);
      },
      filter: (state, { pod }, node) => state.get(hard)?.check(pod, node) ?? success,
      preScore(state, { pod }, feasible) {
        const constraints = toConstraints(pod, 'ScheduleAnyway');
        if (constraints.length === 0) return skip;
        const own = pod.spec.topologySpreadConstraints ?? [];
        const needsAllKeys = own.length > 0 || !defaults.isSystem;
        state.set(soft, sumSpread({ pod, constraints, feasible, nodes, needsAllKeys }));
        return success;
      },
      score(state, _pod, node) {
        const totals = state.get(soft);
        return totals ? scoreSpread(totals, node) : 0;
      },
      normalize(state, _pod, scores, on) {
        const totals = state.get(soft);
        if (totals) normalizeSpread(totals, scores, on);
      },
    };
  },
};
