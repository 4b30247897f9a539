import { Controller, Inject } from '@nestjs/common';
import { CriController } from '@orrery/cri';
import type * as cri from '@orrery/cri';
import type { ImageServiceHandlers, Init } from '@orrery/cri';
import { RUNTIME } from '../runtime.js';
import type { Runtime } from '../runtime.js';
import { imageFsInfo } from './image-fs-info.js';
import { imageStatus } from './image-status.js';
import { listImages } from './list-images.js';
import { pullImage } from './pull-image.js';
import { removeImage } from './remove-image.js';

@Controller()
@CriController('ImageService')
export class ImageServiceController implements ImageServiceHandlers {
  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  async listImages(request: cri.ListImagesRequest): Promise<Init<cri.ListImagesResponse>> {
    return listImages(this.runtime, request);
  }

  async *streamImages(
    request: cri.StreamImagesRequest,
  ): AsyncIterable<Init<cri.StreamImagesResponse>> {
    yield await Promise.resolve(listImages(this.runtime, request));
  }

  async imageStatus(request: cri.ImageStatusRequest): Promise<Init<cri.ImageStatusResponse>> {
    return imageStatus(this.runtime, request);
  }

  async pullImage(request: cri.PullImageRequest): Promise<Init<cri.PullImageResponse>> {
    return pullImage(this.runtime, request);
  }

  async removeImage(request: cri.RemoveImageRequest): Promise<Init<cri.RemoveImageResponse>> {
    return removeImage(this.runtime, request);
  }

  async imageFsInfo(): Promise<Init<cri.ImageFsInfoResponse>> {
    return imageFsInfo(this.runtime);
  }
}
