import { StatusError } from '@orrery/apimachinery';
import type { Cancel, Clock, Logger } from '@orrery/component';
import type { LogicalCluster, LogicalClusterSource } from './logical-cluster.js';

interface Kept {
  readonly key: string;
  readonly opening: Promise<LogicalCluster>;
  users: number;
  /** By the monotonic clock; while `users` is 0. */
  idleSince: number;
}

const LIMIT = 32;
const IDLE_MS = 300_000;

/**
 * The open logical clusters of one source. One that is in use stays; one that nobody uses is closed after a while, or
 * when its place is needed.
 */
export class ClusterCache {
  private readonly kept = new Map<string, Kept>();
  private cancelSweep: Cancel | undefined;

  constructor(
    private readonly source: LogicalClusterSource,
    private readonly deps: { readonly clock: Clock; readonly logger: Logger },
  ) {}

  get size(): number {
    return this.kept.size;
  }

  /** Does `work` with the cluster of a key, which is kept open meanwhile. */
  async use<T>(key: string, work: (cluster: LogicalCluster) => Promise<T>): Promise<T> {
    const kept = this.kept.get(key) ?? this.open(key);
    kept.users++;
    try {
      return await work(await kept.opening);
    } finally {
      kept.users--;
      kept.idleSince = this.deps.clock.monotonic();
      this.schedule();
    }
  }

  /** Closes all, whoever uses them. */
  async close(): Promise<void> {
    this.cancelSweep?.();
    await Promise.all([...this.kept.values()].map((kept) => this.drop(kept)));
  }

  private open(key: string): Kept {
    this.makeRoom();
    const opening = this.source.open(key);
    const kept: Kept = { key, opening, users: 0, idleSince: this.deps.clock.monotonic() };
    this.kept.set(key, kept);
    opening.then(
      ({ gone }) => gone?.addEventListener('abort', () => void this.drop(kept), { once: true }),
      () => this.forget(kept),
    );
    return kept;
  }

  private makeRoom(): void {
    const limit = this.source.limit ?? LIMIT;
    if (this.kept.size < limit) return;
    const idle = [...this.kept.values()]
      .filter(({ users }) => users === 0)
      .sort((a, b) => a.idleSince - b.idleSince)[0];
    if (idle) {
      void this.drop(idle);
      return;
    }
    throw new StatusError(
      429,
      'TooManyRequests',
      `${limit} clusters below /${this.source.prefix}/ are in use, which is as many as this server keeps open; try again when one of them is done`,
      { details: { retryAfterSeconds: 5 } },
    );
  }

  private schedule(): void {
    if (this.cancelSweep || this.kept.size === 0) return;
    const idleMs = this.source.idleMs ?? IDLE_MS;
    const sweep = (): void => {
      this.cancelSweep = undefined;
      const before = this.deps.clock.monotonic() - idleMs;
      for (const kept of this.kept.values())
        if (kept.users === 0 && kept.idleSince <= before) void this.drop(kept);
      this.schedule();
    };
    this.cancelSweep = this.deps.clock.after(idleMs, sweep, { unref: true });
  }

  private forget(kept: Kept): boolean {
    return this.kept.get(kept.key) === kept && this.kept.delete(kept.key);
  }

  private async drop(kept: Kept): Promise<void> {
    if (!this.forget(kept)) return;
    try {
      await (await kept.opening).close();
    } catch (error) {
      const { prefix } = this.source;
      this.deps.logger.warn('cannot close a logical cluster', {
        cluster: `/${prefix}/${kept.key}`,
        err: String(error),
      });
    }
  }
}
