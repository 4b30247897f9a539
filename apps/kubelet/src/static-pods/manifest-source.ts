import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '@orrery/api';
import { parseYaml } from '@orrery/apimachinery';
import { toTime } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { toStaticPod } from './static-pod.js';

const LOOK_MS = 1_000;

interface Seen {
  readonly stamp: string;
  readonly pod: Pod | undefined;
}

export interface ManifestHandler {
  onPod(pod: Pod): void;
  onGone(pod: Pod): void;
}

/** Static pods of a folder: every YAML or JSON file that does not begin with a dot is one pod. */
export class ManifestSource {
  private readonly seen = new Map<string, Seen>();
  private looked = false;

  constructor(
    private readonly dir: string,
    private readonly nodeName: string,
    private readonly handler: ManifestHandler,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** The folder has been read once. */
  get ready(): boolean {
    return this.looked;
  }

  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await this.clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }

  async look(): Promise<void> {
    const names = await readdir(this.dir).catch(() => []);
    const files = names.filter((name) => !name.startsWith('.') && /\.(?:ya?ml|json)$/.test(name));
    for (const [name, { pod }] of this.seen)
      if (!files.includes(name)) {
        this.seen.delete(name);
        if (pod) this.handler.onGone(pod);
      }
    for (const name of files) await this.lookAt(name);
    this.looked = true;
  }

  private async lookAt(name: string): Promise<void> {
    const path = join(this.dir, name);
    const info = await stat(path).catch(() => undefined);
    if (!info?.isFile()) return;
    const stamp = `${info.mtimeMs}/${info.size}/${info.ino}`;
    const before = this.seen.get(name);
    if (before?.stamp === stamp) return;
    let pod: Pod | undefined;
    try {
      pod = toStaticPod(
        parseYaml(await readFile(path, 'utf8')),
        path,
        this.nodeName,
        toTime(this.clock.now()),
      );
    } catch (error) {
      this.logger.error('bad manifest', error, { path });
      pod = before?.pod;
    }
    this.seen.set(name, { stamp, pod });
    if (before?.pod && before.pod.metadata.uid !== pod?.metadata.uid)
      this.handler.onGone(before.pod);
    if (pod && before?.pod?.metadata.uid !== pod.metadata.uid) this.handler.onPod(pod);
  }
}
