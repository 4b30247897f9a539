import { mkdir, open, stat } from 'node:fs/promises';
import type { HostPathVolumeSource } from '@orrery/api';
import { VolumeError } from './payload.js';

type PathKind = 'dir' | 'file' | 'socket' | 'char' | 'block' | 'none';

export async function kindOfPath(path: string): Promise<PathKind> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 'none';
  if (found.isDirectory()) return 'dir';
  if (found.isSocket()) return 'socket';
  if (found.isCharacterDevice()) return 'char';
  return found.isBlockDevice() ? 'block' : 'file';
}

const REQUIRED: Readonly<Record<string, readonly [kind: PathKind, text: string]>> = {
  Directory: ['dir', 'a directory'],
  DirectoryOrCreate: ['dir', 'a directory'],
  File: ['file', 'a file'],
  FileOrCreate: ['file', 'a file'],
  Socket: ['socket', 'a socket file'],
  CharDevice: ['char', 'a character device'],
  BlockDevice: ['block', 'a block device'],
};

/** Checks or makes the path by its `type` (k8s pkg/volume/hostpath/host_path.go). */
export async function mountHostPath({ path, type = '' }: HostPathVolumeSource): Promise<string> {
  const kind = await kindOfPath(path);
  const required = REQUIRED[type];
  if (!required) return path;
  if (kind === 'none' && type === 'DirectoryOrCreate')
    await mkdir(path, { recursive: true, mode: 0o755 });
  else if (kind === 'none' && type === 'FileOrCreate') await (await open(path, 'a')).close();
  else if (kind !== required[0])
    throw new VolumeError(`hostPath type check failed: ${path} is not ${required[1]}`);
  return path;
}
