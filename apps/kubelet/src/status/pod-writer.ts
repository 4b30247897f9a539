import { resources } from '@orrery/api';
import { keyOf } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { uidOf } from '../containers/visit.js';
import type { PodWriter } from './status-manager.js';

/** Writes to the API; a pod of the same name that came later is never touched. */
export function apiPodWriter(client: KubeClient): PodWriter {
  const pods = client.resource(resources.pods);
  return {
    patchStatus: (pod, patch) =>
      pods.patch(keyOf(pod), 'strategic', patch, { subresource: 'status' }),
    deletePod: (pod) =>
      pods.delete(keyOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: uidOf(pod) } }),
  };
}
