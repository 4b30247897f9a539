import type { KubeObject } from '@orrery/apimachinery';
import { StatusError } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';

/** How objects of a resource are on a server that has it in an older version alone. */
export interface OlderVersion<T extends KubeObject> {
  readonly ref: ResourceRef<T>;
  toCurrent(older: T): T;
  toOlder(current: T): T;
}

/** Where servers of 1.20 to 1.24 have what our components ask for, newest first. */
const OLDER: Readonly<Record<string, readonly string[]>> = {
  'autoscaling/v2/horizontalpodautoscalers': ['v2beta2', 'v2beta1'],
  'batch/v1/cronjobs': ['v1beta1'],
  'discovery.k8s.io/v1/endpointslices': ['v1beta1'],
  'policy/v1/poddisruptionbudgets': ['v1beta1'],
  'storage.k8s.io/v1/csistoragecapacities': ['v1beta1', 'v1alpha1'],
};

const nameOf = ({ group, version, plural }: ResourceRef): string => `${group}/${version}/${plural}`;

export const hasOlderVersions = (ref: ResourceRef): boolean => OLDER[nameOf(ref)] !== undefined;

/** True when the server has no such resource at all; an object that is not there is named. */
export const isNoSuchResource = (error: unknown): boolean =>
  error instanceof StatusError && error.status.code === 404 && !error.status.details?.name;

/** The newest older version that is among those that a server has; undefined = there is none. */
export async function olderVersionOf<T extends KubeObject>(
  ref: ResourceRef<T>,
  served: readonly string[],
): Promise<OlderVersion<T> | undefined> {
  const version = OLDER[nameOf(ref)]?.find((one) => served.includes(one));
  if (version === undefined) return undefined;
  // Only now: the conversions bring the kinds with them, which clients of a current server do not need.
  const { removedKinds } = await import('@orrery/api');
  const kind = removedKinds.find(
    (one) => one.group === ref.group && one.version === version && one.plural === ref.plural,
  );
  const conversion = kind?.storageConversion;
  if (!kind || !conversion) return undefined;
  const typed = (object: KubeObject, apiVersion: string): T =>
    ({ ...object, apiVersion, kind: ref.kind }) as T;
  return {
    ref: { ...ref, version },
    toCurrent: (older) => typed(conversion.toStorage(older), `${ref.group}/${ref.version}`),
    toOlder: (current) => typed(conversion.fromStorage(current), `${ref.group}/${version}`),
  };
}
