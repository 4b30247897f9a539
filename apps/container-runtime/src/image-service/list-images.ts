import type { Init, ListImagesRequest, ListImagesResponse } from '@orrery/cri';
import type { Runtime } from '../runtime.js';
import { toImage } from '../store/image-store.js';

export function listImages(
  runtime: Runtime,
  { filter }: ListImagesRequest,
): Init<ListImagesResponse> {
  const wanted = filter?.image?.image ?? '';
  if (wanted === '') return { images: runtime.images.list().map(toImage) };
  const found = runtime.images.find(wanted);
  return { images: found ? [toImage(found)] : [] };
}
