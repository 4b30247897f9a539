import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of all files below a folder, as du(1) counts them; what vanishes meanwhile counts nothing. */
export async function diskUsage(dir: string): Promise<number> {
  let total = 0;
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const info = await lstat(join(entry.parentPath, entry.name)).catch(() => undefined);
    if (info && !info.isDirectory()) total += info.blocks * 512;
  }
  return total;
}
