import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Pod, Volume } from '@orrery/api';
import { toNumber } from '../containers/downward.js';

const run = promisify(execFile);

/** Where the machine keeps files in memory for everybody. */
const SHARED_MEMORY = '/dev/shm';

/** Of a pod's volumes in memory: beside those of other kubelets of this machine. */
export function memoryDir(rootDir: string, uid: string): string {
  const kubelet = createHash('sha256').update(rootDir).digest('hex').slice(0, 12);
  return join(SHARED_MEMORY, `orrery-${kubelet}-${uid}`);
}

/**
 * Bytes that a volume in memory may hold: its sizeLimit, and no more than the pod's containers may use together; 0 = as
 * much as there is (k8s pkg/volume/emptydir/empty_dir.go:calculateEmptyDirMemorySize).
 */
export function memorySize(pod: Pod, { emptyDir }: Volume): number {
  const limits = pod.spec.containers.map((one) => toNumber(one.resources?.limits?.['memory']));
  const ofPod = limits.includes(0) ? 0 : limits.reduce((sum, one) => sum + one, 0);
  const own = toNumber(emptyDir?.sizeLimit);
  return own > 0 && ofPod > 0 ? Math.min(own, ofPod) : own || ofPod;
}

/** Makes `dir` a link to a folder in memory; where the machine has none it stays on disk. Idempotent. */
export async function makeInMemory(dir: string, real: string, bytes: number): Promise<void> {
  if (!existsSync(SHARED_MEMORY) || existsSync(dir)) return;
  await mkdir(real, { recursive: true });
  // A file system of its own keeps the limit; who may not mount has the eviction instead.
  if (bytes > 0 && process.geteuid?.() === 0)
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', real]).catch(
      () => undefined,
    );
  await mkdir(dirname(dir), { recursive: true });
  // After a restart of the machine the link is there without the folder.
  if (!(await lstat(dir).catch(() => undefined))) await symlink(real, dir);
}

/** Ends the pod's file systems in memory, and removes their folder. */
export async function removeFromMemory(memory: string): Promise<void> {
  const parent = await lstat(memory).catch(() => undefined);
  if (!parent) return;
  for (const name of await readdir(memory)) {
    const path = join(memory, name);
    const info = await lstat(path).catch(() => undefined);
    if (info && info.dev !== parent.dev) await run('umount', ['-l', path]);
  }
  await rm(memory, { recursive: true, force: true });
}
