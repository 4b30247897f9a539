import type { ImageStatusRequest, ImageStatusResponse, Init } from '@orrery/cri';
import type { Runtime } from '../runtime.js';
import { toImage } from '../store/image-store.js';

/** An absent image is an answer without image, not an error. */
export function imageStatus(
  runtime: Runtime,
  { image }: ImageStatusRequest,
): Init<ImageStatusResponse> {
  const found = runtime.images.find(image?.image ?? '');
  return found ? { image: toImage(found) } : {};
}
