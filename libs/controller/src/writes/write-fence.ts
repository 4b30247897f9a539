import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '@orrery/component';

/** True once the cache shows the write. */
export type Seen = () => boolean;

interface Pending {
  readonly seen: Seen[];
  readonly since: number;
}

/** Scopes whose writes are told from other events; beyond it an echo may pass for news. */
const MOST_SCOPES = 10_000;

interface Scope {
  readonly scope: string;
  readonly writes: Seen[];
}

/** After this the write is taken as seen, as upstream's expectations expire (controller_utils.go: ExpectationsTimeout). */
const EXPIRY_MS = 300_000;

/**
 * Read your writes: what is written inside `run(scope)` is remembered until the caches show it, and a scope whose
 * writes are not all visible must not be reconciled. A scope is `<controller>|<key>`.
 */
export class WriteFence {
  readonly #current = new AsyncLocalStorage<Scope>();
  /** Revisions that each scope wrote and has not seen as events yet. */
  readonly #written = new Map<string, Set<number>>();
  readonly #pending = new Map<string, Pending>();

  constructor(private readonly clock: Clock) {}

  /** Runs `body`, whose writes are accounted to `scope` also when it fails. */
  async run<T>(scope: string, body: () => Promise<T>): Promise<T> {
    const writes: Seen[] = [];
    try {
      return await this.#current.run({ scope, writes }, body);
    } finally {
      const seen = writes.filter((write) => !write());
      if (seen.length > 0) this.#pending.set(scope, { seen, since: this.clock.monotonic() });
    }
  }

  /** Called by whoever writes, after the write succeeded; with its revision, if an event of it will come. */
  note(seen: Seen, revision?: number): void {
    const current = this.#current.getStore();
    if (!current) return;
    current.writes.push(seen);
    if (revision === undefined) return;
    const written = this.#written.get(current.scope) ?? new Set();
    this.#written.set(current.scope, written.add(revision));
    const [oldest] = this.#written.keys();
    if (this.#written.size > MOST_SCOPES && oldest !== undefined) this.#written.delete(oldest);
  }

  /** Whether an event is the echo of a write of this scope's own. */
  isOwn(scope: string, revision: number): boolean {
    return this.#written.get(scope)?.has(revision) ?? false;
  }

  /** The scope has seen all events up to a revision. */
  forget(scope: string, upTo: number): void {
    const written = this.#written.get(scope);
    for (const revision of written ?? []) if (revision <= upTo) written?.delete(revision);
    if (written?.size === 0) this.#written.delete(scope);
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
