import type { PullImageRequest, PullImageResponse } from '@orrery/cri';
import type { Runtime } from '../runtime.js';
import { digestOf } from '../store/image-store.js';

export function pullImage(runtime: Runtime, { image, auth }: PullImageRequest): PullImageResponse {
  const reference = runtime.catalog.resolve(
    image?.image ?? '',
    auth && `${auth.username}:${auth.password}`,
  );
  const size = runtime.catalog.sizeOf(reference, digestOf(reference));
  return { imageRef: runtime.images.add(reference, size).id };
}
