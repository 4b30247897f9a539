import { StateKey } from '../../framework/cycle-state.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { skip, success } from '../../framework/status.js';
import { defaultConstraints } from './default-constraints.js';
import { constraintsOf } from './spread-constraint.js';
import { SpreadCounts } from './spread-filter.js';
import { normalizeSpread, scoreSpread, sumSpread } from './spread-score.js';
import type { SpreadTotals } from './spread-score.js';

const NAME = 'PodTopologySpread';

const hard = new StateKey<SpreadCounts>(`${NAME}/hard`, (counts) => counts.clone());
const soft = new StateKey<SpreadTotals>(`${NAME}/soft`);

/** Keeps the pods of a group even over the domains of a topology. */
export const podTopologySpread: PluginEntry = {
  name: NAME,
  weight: 2,
  create: ({ nodes, listers }) => ({
    name: NAME,
    events: [
      { on: ['AssignedPodAdd', 'AssignedPodUpdate', 'AssignedPodDelete'] },
      { on: ['NodeAdd', 'NodeDelete', 'NodeLabel', 'NodeTaint'] },
    ],
    preFilter(state, { pod }) {
      const constraints = constraintsOf(pod, 'DoNotSchedule');
      if (constraints.length === 0) return { status: skip };
      state.set(hard, SpreadCounts.of(pod, constraints, nodes.list()));
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
      const own = pod.spec.topologySpreadConstraints ?? [];
      const constraints =
        own.length > 0 ? constraintsOf(pod, 'ScheduleAnyway') : defaultConstraints(pod, listers);
      if (constraints.length === 0) return skip;
      const needsAllKeys = own.length > 0;
      const all = nodes.list();
      state.set(soft, sumSpread({ pod, constraints, feasible, all, needsAllKeys }));
      return success;
    },
    score(state, _pod, node) {
      const totals = state.get(soft);
      return totals ? scoreSpread(totals, node) : 0;
    },
    normalize(state, _pod, scores) {
      const totals = state.get(soft);
      if (totals) normalizeSpread(totals, scores);
    },
  }),
};
