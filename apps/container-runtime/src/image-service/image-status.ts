import type { ImageStatusRequest, ImageStatusResponse, Init } from '@orrery/cri';
import type { Runtime } from '../runtime.js';
import type { ImageRecord } from '../store/image-store.js';
import { toImage } from '../store/image-store.js';

/** Of what images of unknown names run as nothing is known. */
function uidOf(
  { catalog }: Runtime,
  { repoTags, repoDigests, id }: ImageRecord,
): number | undefined {
  const name = repoTags[0] ?? repoDigests[0] ?? id;
  return catalog.definitionOf(name)?.uid ?? (catalog.programOf(name) === 'echo' ? undefined : 0);
}

/** An absent image is an answer without image, not an error. */
export function imageStatus(
  runtime: Runtime,
  { image }: ImageStatusRequest,
): Init<ImageStatusResponse> {
  const found = runtime.images.find(image?.image ?? '');
  return found ? { image: toImage(found, uidOf(runtime, found)) } : {};
}
