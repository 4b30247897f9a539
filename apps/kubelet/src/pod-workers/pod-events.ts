import type { ObjectReference, Pod } from '@orrery/api';
import { toReference } from '@orrery/controller';
import type { EventRecorder } from '@orrery/controller';

/** Events about pods; `container` is named as upstream's field path `spec.containers{name}`. */
export interface PodEvents {
  pod(
    pod: Pod,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    container?: string,
  ): void;
}

export const noPodEvents: PodEvents = { pod: () => undefined };

function fieldPathOf(pod: Pod, container: string): string {
  const has = (list: readonly { readonly name: string }[] = []): boolean =>
    list.some((one) => one.name === container);
  if (has(pod.spec.initContainers)) return `spec.initContainers{${container}}`;
  return has(pod.spec.ephemeralContainers)
    ? `spec.ephemeralContainers{${container}}`
    : `spec.containers{${container}}`;
}

export function recordPodEvents(recorder: EventRecorder): PodEvents {
  return {
    pod: (pod, type, reason, message, container) => {
      const reference: ObjectReference = {
        ...toReference({ ...pod, apiVersion: 'v1', kind: 'Pod' }),
        ...(container ? { fieldPath: fieldPathOf(pod, container) } : {}),
      };
      recorder.event(reference, type, reason, message);
    },
  };
}
