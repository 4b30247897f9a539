import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface FolderUsage {
  /** Bytes of all files, as du(1) counts them. */
  readonly bytes: number;
  /** Files and folders, the folder itself too. */
  readonly inodes: number;
}

/** What is below a folder; what vanishes meanwhile counts nothing. */
export async function folderUsage(dir: string): Promise<FolderUsage> {
  let bytes = 0;
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const info = await lstat(join(entry.parentPath, entry.name)).catch(() => undefined);
    if (info && !info.isDirectory()) bytes += info.blocks * 512;
  }
  return { bytes, inodes: entries.length + 1 };
}
