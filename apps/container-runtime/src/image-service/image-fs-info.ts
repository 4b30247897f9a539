import { toNanoseconds } from '@orrery/cri';
import type { ImageFsInfoResponse, Init } from '@orrery/cri';
import type { Runtime } from '../runtime.js';

export function imageFsInfo(runtime: Runtime): Init<ImageFsInfoResponse> {
  const images = runtime.images.list();
  const usage = {
    timestamp: toNanoseconds(runtime.clock.now()),
    fsId: { mountpoint: runtime.options.root },
    usedBytes: { value: images.reduce((sum, image) => sum + image.sizeBytes, 0) },
    inodesUsed: { value: images.length },
  };
  return { imageFilesystems: [usage], containerFilesystems: [usage] };
}
