import type { Node, Pod, Toleration } from '@orrery/api';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import { StateKey } from '../../framework/cycle-state.js';
import { normalizeByLargest } from '../../framework/normalize.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { success, unresolvable } from '../../framework/status.js';
import { findUntolerated, tolerates } from '../../framework/tolerations.js';

const NAME = 'TaintToleration';
const HARD = ['NoSchedule', 'NoExecute'];

const passes = (pod: Pod, node: Node): boolean =>
  findUntolerated(node.spec?.taints, pod.spec.tolerations, HARD) === undefined;

/** Tolerations that can concern PreferNoSchedule taints. */
const softTolerations = (pod: Pod): readonly Toleration[] =>
  (pod.spec.tolerations ?? []).filter((each) => !each.effect || each.effect === 'PreferNoSchedule');

const soft = new StateKey<readonly Toleration[]>(NAME);

/** Hard taints refuse; soft ones count against the node. */
export const taintToleration: PluginEntry = {
  name: NAME,
  weight: 3,
  create: () => ({
    name: NAME,
    local: true,
    events: [
      {
        on: ['NodeAdd', 'NodeTaint'],
        helps: (pod, event) => {
          const old = oldOf<Node>(event);
          return passes(pod, newOf(event)) && (!old || !passes(pod, old));
        },
      },
    ],
    filter(_state, { pod }, { node }) {
      return node && passes(pod, node) ? success : unresolvable('node(s) had untolerated taint(s)');
    },
    preScore(state, { pod }) {
      state.set(soft, softTolerations(pod));
      return success;
    },
    score(state, _pod, { node }) {
      const tolerations = state.get(soft) ?? [];
      return (node?.spec?.taints ?? []).filter(
        (taint) =>
          taint.effect === 'PreferNoSchedule' &&
          !tolerations.some((each) => tolerates(each, taint)),
      ).length;
    },
    normalize(_state, _pod, scores) {
      normalizeByLargest(scores, true);
    },
  }),
};
