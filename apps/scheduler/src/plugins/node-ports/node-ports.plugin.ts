import type { Pod } from '@orrery/api';
import { HostPortSet } from '../../cache/host-port-set.js';
import { oldOf } from '../../framework/cluster-event.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { toPodInfo } from '../../framework/pod-info.js';
import { skip, success, unschedulable } from '../../framework/status.js';

/** Whether a pod that left used a host port that this one wants. */
function freesPort(pod: Pod, gone: Pod | undefined): boolean {
  if (!gone) return true;
  const freed = new HostPortSet();
  for (const port of toPodInfo(gone).hostPorts) freed.add(port);
  return toPodInfo(pod).hostPorts.some((port) => freed.conflicts(port));
}

/** A host port is given once on each node and address. */
export const nodePorts: PluginEntry = {
  name: 'NodePorts',
  create: () => ({
    name: 'NodePorts',
    local: true,
    events: [
      { on: ['NodeAdd'] },
      { on: ['AssignedPodDelete'], helps: (pod, event) => freesPort(pod, oldOf(event)) },
    ],
    preFilter(_state, { hostPorts }) {
      return { status: hostPorts.length === 0 ? skip : success };
    },
    filter(_state, { hostPorts }, { ports }) {
      return hostPorts.some((port) => ports.conflicts(port))
        ? unschedulable("node(s) didn't have free ports for the requested pod ports")
        : success;
    },
  }),
};
