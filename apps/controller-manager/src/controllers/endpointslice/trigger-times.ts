import { keyOf } from '@orrery/apimachinery';
import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import type { Pod, Service } from '@orrery/api';

export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

interface Seen {
  readonly service: string;
  /** By the pod's name, when its readiness last changed. */
  readonly pods: ReadonlyMap<string, string>;
}

const nameOf = ({ namespace = '', name }: ObjectKey): string => `${namespace}/${name}`;

const readySince = ({ status }: Pod): string | undefined =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;

/**
 * When that happened which changes the endpoints of Services, so that others can tell how long it took to get to them
 * (k8s endpointslice/trigger_time_tracker.go). Times are RFC 3339 in UTC, and compared as such.
 */
export class TriggerTimes {
  readonly #seen = new Map<string, Seen>();

  /** The first of what is new since the last time; undefined = nothing is. */
  next(service: Service, pods: readonly Pod[]): string | undefined {
    const key = nameOf(keyOf(service));
    const before = this.#seen.get(key);
    const created = service.metadata.creationTimestamp ?? '';
    const news = created > (before?.service ?? '') ? [created] : [];
    const times = new Map<string, string>();
    for (const pod of pods) {
      const { name = '' } = pod.metadata;
      const last = before?.pods.get(name) ?? '';
      const time = readySince(pod);
      if (time !== undefined && time > last) news.push(time);
      times.set(name, time ?? last);
    }
    this.#seen.set(key, { service: created, pods: times });
    return news.sort()[0];
  }

  forget(key: ObjectKey): void {
    this.#seen.delete(nameOf(key));
  }
}

/** The object with the time on it, or without any. */
export function stamped<T extends KubeObject>(object: T, time: string | undefined): T {
  const { [TRIGGER_TIME]: _, ...others } = object.metadata.annotations ?? {};
  const annotations = time === undefined ? others : { ...others, [TRIGGER_TIME]: time };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
