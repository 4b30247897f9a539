import { join } from 'node:path';

/**
 * Where an absolute path of a container really is: below ORRERY_ROOTFS for a program that the container runtime
 * started without a mount namespace, else the path itself.
 */
export function inRootfs(path: string, rootfs = process.env['ORRERY_ROOTFS']): string {
  return rootfs && path.startsWith('/') ? join(rootfs, path) : path;
}
