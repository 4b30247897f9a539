import type { PluginEntry } from '../../framework/plugin.js';
import { success, unresolvable } from '../../framework/status.js';

/** Holds a pod back while its spec names gates. */
export const schedulingGates: PluginEntry = {
  name: 'SchedulingGates',
  create: () => ({
    name: 'SchedulingGates',
    events: [{ on: ['PodUpdate'] }],
    preEnqueue(pod) {
      const gates = (pod.spec.schedulingGates ?? []).map((gate) => gate.name);
      return gates.length === 0
        ? success
        : unresolvable(`waiting for scheduling gates: [${gates.join(' ')}]`);
    },
  }),
};
