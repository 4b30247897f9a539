import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CriError } from '@orrery/cri';
import type { Mount } from '@orrery/cri';
import type { ImageFile } from '../catalog/image-definitions.js';
import { writeImageFiles } from '../process/image-files.js';
import type { ContainerRecord } from './container.js';
import type { ImageRecord } from './image-store.js';

export interface ImageVolumeParts {
  /** One folder an image. */
  readonly folder: string;
  find(image: string): ImageRecord | undefined;
  filesOf(image: string): readonly ImageFile[];
}

/** The files of images as volumes of containers, read-only (KEP-4639). */
export class ImageVolumes {
  constructor(private readonly parts: ImageVolumeParts) {}

  /** The mount as one of a folder of this machine. Throws CriError where the image or the path in it is not there. */
  resolve(mount: Mount): Mount {
    const { image, imageSubPath } = mount;
    if (!image?.image) return mount;
    const record = this.parts.find(image.image);
    if (!record)
      throw new CriError('NOT_FOUND', `failed to resolve image "${image.image}": image not found`);
    const folder = this.folderOf(record, image.userSpecifiedImage);
    const hostPath = join(folder, resolve('/', imageSubPath));
    if (!existsSync(hostPath)) {
      const text = `failed to mount image volume: sub path "${imageSubPath}" of image "${image.userSpecifiedImage || image.image}" does not exist`;
      throw new CriError('UNKNOWN', text);
    }
    return { ...mount, hostPath, readonly: true };
  }

  /** Whether a container has the image as a volume. */
  isUsed({ id }: ImageRecord, containers: readonly ContainerRecord[]): boolean {
    const path = this.pathOf(id);
    return containers.some(({ config }) =>
      config.mounts.some(({ hostPath }) => hostPath === path || hostPath.startsWith(`${path}/`)),
    );
  }

  remove({ id }: ImageRecord): void {
    rmSync(this.pathOf(id), { recursive: true, force: true });
  }

  private pathOf(id: string): string {
    return join(this.parts.folder, id.replace('sha256:', ''));
  }

  /** Made once, and there as a whole or not at all. */
  private folderOf(record: ImageRecord, named: string): string {
    const path = this.pathOf(record.id);
    if (existsSync(path)) return path;
    const making = `${path}.new`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    writeImageFiles(making, this.parts.filesOf(named || (record.repoTags[0] ?? record.id)));
    renameSync(making, path);
    return path;
  }
}
