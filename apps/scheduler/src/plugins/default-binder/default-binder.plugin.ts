import { resources } from '@orrery/api';
import type { Binding } from '@orrery/api';
import type { PluginEntry } from '../../framework/plugin.js';
import { failed, success } from '../../framework/status.js';

/** Writes the decision: POST pods/<name>/binding with the pod's uid. */
export const defaultBinder: PluginEntry = {
  name: 'DefaultBinder',
  create: ({ client }) => ({
    name: 'DefaultBinder',
    async bind(_state, { namespace, name, uid }, nodeName, signal) {
      const binding: Binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { namespace, name, uid },
        target: { kind: 'Node', name: nodeName },
      };
      try {
        await client
          .resource(resources.pods)
          .createSubresource({ namespace, name }, 'binding', binding, { signal });
        return success;
      } catch (error) {
        return failed(error);
      }
    },
  }),
};
