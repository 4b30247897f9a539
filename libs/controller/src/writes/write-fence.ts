import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '@orrery/component';

/** True once the cache shows the write. */
export type Seen = () => boolean;

interface Pending {
  readonly seen: Seen[];
  readonly since: number;
}

/** After this the write is taken as seen, as upstream's expectations expire (controller_utils.go: ExpectationsTimeout). */
const EXPIRY_MS = 300_000;

/**
 * Read your writes: what is written inside `run(scope)` is remembered until the caches show it, and a scope whose
 * writes are not all visible must not be reconciled. A scope is `<controller>|<key>`.
 */
export class WriteFence {
  readonly #current = new AsyncLocalStorage<Seen[]>();
  readonly #pending = new Map<string, Pending>();

  constructor(private readonly clock: Clock) {}

  /** Runs `body`, whose writes are accounted to `scope` also when it fails. */
  async run<T>(scope: string, body: () => Promise<T>): Promise<T> {
    const writes: Seen[] = [];
    try {
      return await this.#current.run(writes, body);
    } finally {
      const seen = writes.filter((write) => !write());
      if (seen.length > 0) this.#pending.set(scope, { seen, since: this.clock.monotonic() });
    }
  }

  /** Called by whoever writes, after the write succeeded. */
  note(seen: Seen): void {
    this.#current.getStore()?.push(seen);
  }

  /** Whether the caches show all that `scope` wrote. */
  isOpen(scope: string): boolean {
    const pending = this.#pending.get(scope);
    if (!pending) return true;
    while (pending.seen.length > 0 && pending.seen.at(-1)?.()) pending.seen.pop();
    const expired = this.clock.monotonic() - pending.since > EXPIRY_MS;
    if (pending.seen.length > 0 && !expired) return false;
    this.#pending.delete(scope);
    return true;
  }
}
