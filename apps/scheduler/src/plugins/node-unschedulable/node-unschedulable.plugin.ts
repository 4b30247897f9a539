import type { Node, Pod, Taint } from '@orrery/api';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { success, unresolvable } from '../../framework/status.js';
import { tolerates } from '../../framework/tolerations.js';

const CORDONED: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

const passes = (pod: Pod, node: Node): boolean =>
  !node.spec?.unschedulable ||
  (pod.spec.tolerations ?? []).some((each) => tolerates(each, CORDONED));

/** Keeps pods off cordoned nodes, unless they tolerate the taint that cordoning sets. */
export const nodeUnschedulable: PluginEntry = {
  name: 'NodeUnschedulable',
  create: () => ({
    name: 'NodeUnschedulable',
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
      return node && passes(pod, node) ? success : unresolvable('node(s) were unschedulable');
    },
  }),
};
