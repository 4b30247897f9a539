import type { KubeObject } from '@orrery/apimachinery';
import { toApiVersion } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';

/** The object in the shape of another kind with the same storage; the object itself when that is its kind. */
export function convertBetween(
  object: KubeObject,
  from: KindDescriptor,
  to: KindDescriptor,
): KubeObject {
  if (from === to) return object;
  const stored = from.storageConversion ? from.storageConversion.toStorage(object) : object;
  const shaped = to.storageConversion ? to.storageConversion.fromStorage(stored) : stored;
  return { ...shaped, apiVersion: toApiVersion(to.group, to.version), kind: to.kind };
}
