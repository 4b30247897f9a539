import type { Node } from '@orrery/api';
import type { KubeObject } from '@orrery/apimachinery';
import { dropManagedFields } from '@orrery/informers';

/** More different parts than this are not those of a fleet; what was shared before stays shared. */
const MAX_PARTS = 1_000;

/**
 * What a cache of many nodes keeps of one: fields that nobody reads go, and parts that are equal on many nodes (capacity,
 * what is said of the machine) are kept once. Changes the object that it is given.
 */
export function partSharing(): <T extends KubeObject>(object: T) => T {
  const parts = new Map<string, unknown>();
  const share = <P>(part: P): P => {
    if (part === undefined) return part;
    const text = JSON.stringify(part);
    const known = parts.get(text);
    if (known !== undefined) return known as P;
    if (parts.size >= MAX_PARTS) parts.clear();
    parts.set(text, part);
    return part;
  };
  return (object) => {
    dropManagedFields(object);
    if (object.kind === 'Node') shareParts(object as KubeObject as Node, share);
    return object;
  };
}

function shareParts({ metadata, status }: Node, share: <P>(part: P) => P): void {
  if (metadata.annotations) metadata.annotations = share(metadata.annotations);
  if (!status) return;
  const { capacity, allocatable, nodeInfo, daemonEndpoints, images } = status;
  Object.assign(status, {
    ...(capacity && { capacity: share(capacity) }),
    ...(allocatable && { allocatable: share(allocatable) }),
    ...(nodeInfo && { nodeInfo: share(nodeInfo) }),
    ...(daemonEndpoints && { daemonEndpoints: share(daemonEndpoints) }),
    ...(images && { images: share(images) }),
  });
}
