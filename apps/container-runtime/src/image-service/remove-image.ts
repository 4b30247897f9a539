import type { RemoveImageRequest } from '@orrery/cri';
import type { Runtime } from '../runtime.js';

/** Idempotent. */
export function removeImage(runtime: Runtime, { image }: RemoveImageRequest): object {
  const found = runtime.images.find(image?.image ?? '');
  if (!found) return {};
  runtime.images.remove(found);
  if (!runtime.imageVolumes.isUsed(found, runtime.containers.list()))
    runtime.imageVolumes.remove(found);
  return {};
}
