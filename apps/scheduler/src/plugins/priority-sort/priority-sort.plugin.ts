import type { PluginEntry } from '../../framework/plugin.js';

/** Higher priority first, then the longer wait. */
export const prioritySort: PluginEntry = {
  name: 'PrioritySort',
  create: () => ({
    name: 'PrioritySort',
    less(a, b) {
      const difference = a.info.priority - b.info.priority;
      return difference === 0 ? a.since < b.since : difference > 0;
    },
  }),
};
