import type { Clock } from '@orrery/component';
import { InMemoryRuntime } from '../runtime/in-memory-runtime.js';
import { RuntimeError } from '../runtime/runtime.js';
import type {
  ContainerConfig,
  RuntimeImage,
  RuntimePod,
  SandboxConfig,
} from '../runtime/runtime.js';

/** How long a container runs before it ends by itself with exit code 0; undefined = until it is stopped. */
export type RunsFor = (podUid: string, container: string) => number | undefined;

/** The in-memory runtime of a node without processes: work that is meant to end does so after a while. */
export class HollowRuntime extends InMemoryRuntime {
  private readonly started = new Map<string, readonly [uid: string, name: string]>();
  private changed: (uid: string) => void = () => undefined;
  private readonly pending = new Set<string>();

  constructor(
    private readonly clock: Clock,
    private readonly runsFor: RunsFor,
    private readonly images: readonly RuntimeImage[] = [],
  ) {
    super(() => clock.now());
    this.onChange((uid) => {
      this.pending.add(uid);
      this.changed(uid);
    });
  }

  override listImages(): Promise<readonly RuntimeImage[]> {
    return Promise.resolve(this.images);
  }

  override adopt(pod: RuntimePod): void {
    super.adopt(pod);
    for (const { name, state } of pod.containers)
      if (state === 'running') this.endInTime(pod.uid, name);
  }

  override async createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandbox: SandboxConfig,
  ): Promise<string> {
    const id = await super.createContainer(sandboxId, config, sandbox);
    this.started.set(id, [sandbox.uid, config.name]);
    return id;
  }

  override async startContainer(id: string): Promise<void> {
    await super.startContainer(id);
    const [uid, name] = this.started.get(id) ?? [];
    this.started.delete(id);
    if (uid !== undefined && name !== undefined) this.endInTime(uid, name);
  }

  override async *changes(signal: AbortSignal): AsyncGenerator<string> {
    while (!signal.aborted) {
      const uids = [...this.pending];
      this.pending.clear();
      yield* uids;
      if (this.pending.size === 0) await this.nextChange(signal);
    }
    throw new RuntimeError('Unavailable', 'the kubelet stops');
  }

  private endInTime(uid: string, name: string): void {
    const ms = this.runsFor(uid, name);
    if (ms === undefined) return;
    this.clock.after(ms, () => this.exit(uid, name, 0), { unref: true });
  }

  private nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.changed = () => undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.changed = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
