import type { DeviceClass } from '@orrery/api';
import { isExtendedResource } from '@orrery/api';

/** Before a class's name: a resource that every class stands for (k8s api/resource/v1: ResourceDeviceClassPrefix). */
const IMPLICIT = 'deviceclass.resource.kubernetes.io/';

const createdAt = ({ metadata }: DeviceClass): number =>
  Date.parse(metadata.creationTimestamp ?? '') || 0;

/** Of classes with the same resource the later one, then the first by name (k8s api/resource/v1: DeviceClassSpec). */
const isPreferred = (a: DeviceClass, b: DeviceClass): boolean =>
  createdAt(a) === createdAt(b)
    ? (a.metadata.name ?? '') < (b.metadata.name ?? '')
    : createdAt(a) > createdAt(b);

/** The name of the class whose devices the resource stands for; undefined when there is none. */
export function classOfResource(
  resource: string,
  classes: readonly DeviceClass[],
): string | undefined {
  if (resource.startsWith(IMPLICIT)) {
    const name = resource.slice(IMPLICIT.length);
    return classes.some(({ metadata }) => metadata.name === name) ? name : undefined;
  }
  if (!isExtendedResource(resource)) return undefined;
  return classes
    .filter(({ spec }) => spec?.extendedResourceName === resource)
    .reduce<DeviceClass | undefined>(
      (best, each) => (best && isPreferred(best, each) ? best : each),
      undefined,
    )?.metadata.name;
}
