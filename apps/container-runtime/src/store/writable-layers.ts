import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@orrery/component';

export interface LayerUsage {
  readonly bytes: number;
  readonly inodes: number;
}

interface Known {
  readonly usage: LayerUsage;
  readonly atMs: number;
  readonly isBeingMeasured: boolean;
}

/** As containerd's stats collector: a folder is looked through at most this often. */
const PERIOD_MS = 10_000;
const NOTHING: LayerUsage = { bytes: 0, inodes: 0 };

/** What lies in a folder, as du(1) counts it without the folder itself; what vanishes meanwhile counts nothing. */
async function measure(folder: string): Promise<LayerUsage> {
  let bytes = 0;
  let inodes = 0;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    // Links to the host's folders and places for mounts are no data of the container's.
    if (entry.isSymbolicLink()) continue;
    const path = join(folder, entry.name);
    const info = await lstat(path).catch(() => undefined);
    if (!info) continue;
    const below = info.isDirectory() ? await measure(path) : NOTHING;
    bytes += below.bytes + (info.isDirectory() ? 0 : info.blocks * 512);
    inodes += below.inodes + 1;
  }
  return { bytes, inodes };
}

/** How much each container has written into its own files: the last measure, renewed in the background. */
export class WritableLayers {
  private known = new Map<string, Known>();

  constructor(
    private readonly clock: Clock,
    private readonly folderOf: (id: string) => string,
  ) {}

  usageOf(id: string): LayerUsage {
    const last = this.known.get(id);
    const now = this.clock.monotonic();
    if (!last?.isBeingMeasured && (!last || now - last.atMs >= PERIOD_MS)) {
      const usage = last?.usage ?? NOTHING;
      this.known.set(id, { usage, atMs: now, isBeingMeasured: true });
      void this.renew(id, now);
    }
    return last?.usage ?? NOTHING;
  }

  forget(id: string): void {
    this.known.delete(id);
  }

  private async renew(id: string, atMs: number): Promise<void> {
    const usage = await measure(this.folderOf(id));
    if (this.known.has(id)) this.known.set(id, { usage, atMs, isBeingMeasured: false });
  }
}
