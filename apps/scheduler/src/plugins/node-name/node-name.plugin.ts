import type { Node } from '@orrery/api';
import { newOf } from '../../framework/cluster-event.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { success, unresolvable } from '../../framework/status.js';

/** A pod that names its node fits no other. */
export const nodeName: PluginEntry = {
  name: 'NodeName',
  create: () => ({
    name: 'NodeName',
    local: true,
    events: [
      {
        on: ['NodeAdd'],
        helps: (pod, event) => newOf<Node>(event).metadata.name === pod.spec.nodeName,
      },
    ],
    filter(_state, { pod }, node) {
      return !pod.spec.nodeName || pod.spec.nodeName === node.name
        ? success
        : unresolvable("node(s) didn't match the requested node name");
    },
  }),
};
