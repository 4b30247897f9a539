import type { PluginEntry } from '../../framework/plugin.js';
import { skip, unresolvable, unschedulable } from '../../framework/status.js';

const NAME = 'DynamicResources';

/** Nobody allocates claims here: a pod that asks for them must not start as if it had them. */
export const dynamicResources: PluginEntry = {
  name: NAME,
  create: () => ({
    name: NAME,
    // Claims of a pod never change.
    events: [],
    preFilter(_state, { pod }) {
      const claims = pod.spec.resourceClaims ?? [];
      if (claims.length === 0) return { status: skip };
      const names = claims.map(({ name }) => name).join(' ');
      return { status: unresolvable(`resource claims are not modelled: [${names}]`) };
    },
    /** Nothing can be given back; upstream's words stand in each FailedScheduling. */
    postFilter(_state, { pod }) {
      const hasClaims = (pod.spec.resourceClaims ?? []).length > 0;
      const why = hasClaims ? 'still not schedulable' : 'no new claims to deallocate';
      return { status: unschedulable(why) };
    },
  }),
};
