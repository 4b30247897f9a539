import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mount } from '@orrery/cri';
import type { ImageDefinition, ImageFile } from '../catalog/image-definitions.js';
import type { Isolation } from './isolation.js';

/** Where a container with a root of its own sees Node.js and the programs of images. */
const NODE = '/.orrery/node';
const PROGRAMS = '/.orrery/programs';

const mount = (containerPath: string, hostPath: string): Mount =>
  ({ containerPath, hostPath, readonly: true }) as Mount;

export interface ImageContent {
  readonly files: readonly ImageFile[];
  /** Of what the files' programs need from the host. */
  readonly mounts: readonly Mount[];
}

export interface ImageContentOptions {
  readonly isolation: Isolation;
  readonly componentDir: string;
  /** Where programs listen that ask for every address. */
  readonly listen: string;
  readonly noNewPrivileges: boolean;
  /** Of an image whose program is one of ours. */
  readonly documents: readonly ImageFile[];
}

/** The files of an image in one container. */
export function contentOf(
  definition: ImageDefinition | undefined,
  options: ImageContentOptions,
): ImageContent {
  if (!definition) return { files: options.documents, mounts: [] };
  const { isolation, componentDir, listen, noNewPrivileges } = options;
  const programs = join(componentDir, 'programs');
  const [node, folder] = isolation === 'none' ? [process.execPath, programs] : [NODE, PROGRAMS];
  const program = `env ORRERY_LISTEN='${listen}' '${node}' '${folder}/agnhost.mjs'`;
  return {
    files: definition.files({ program, noNewPrivileges }),
    mounts: isolation === 'none' ? [] : [mount(NODE, process.execPath), mount(PROGRAMS, programs)],
  };
}

/** Puts an image's files below `rootfs`, where nothing else is yet at their paths. */
export function writeImageFiles(rootfs: string, files: readonly ImageFile[]): void {
  for (const { path, text, mode } of files) {
    const here = join(rootfs, path);
    mkdirSync(text === undefined ? here : dirname(here), { recursive: true });
    if (text !== undefined) {
      rmSync(here, { force: true });
      writeFileSync(here, text);
    }
    chmodSync(here, mode);
  }
}
