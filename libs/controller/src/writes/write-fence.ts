import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '@orrery/component';

/** True once the cache shows the write. */
export type Seen = () => boolean;

/** What was written, and how one knows that the cache shows it. */
interface Write {
  readonly seen: Seen;
  readonly of: WrittenKind | undefined;
}

/** The kind of what was written. */
export interface WrittenKind {
  readonly group: string;
  readonly plural: string;
}

interface Pending {
  readonly writes: Write[];
  readonly since: number;
}

/** Scopes whose writes are told from other events; beyond it an echo may pass for news. */
const MOST_SCOPES = 10_000;

interface Scope {
  readonly scope: string;
  readonly writes: Write[];
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
    const writes: Write[] = [];
    try {
      return await this.#current.run({ scope, writes }, body);
    } finally {
      const unseen = writes.filter(({ seen }) => !seen());
      if (unseen.length > 0)
        this.#pending.set(scope, { writes: unseen, since: this.clock.monotonic() });
    }
  }

  /** Called by whoever writes, after the write succeeded; with its revision, if an event of it will come. */
  note(seen: Seen, revision?: number, of?: WrittenKind): void {
    const current = this.#current.getStore();
    if (!current) return;
    current.writes.push({ seen, of });
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

  /** A kind whose cache does not show yet what `scope` wrote. */
  waitsFor(scope: string): WrittenKind | undefined {
    return this.#pending.get(scope)?.writes.at(-1)?.of;
  }

  /** Whether the caches show all that `scope` wrote. */
  isOpen(scope: string): boolean {
    const pending = this.#pending.get(scope);
    if (!pending) return true;
    const { writes } = pending;
    while (writes.at(-1)?.seen()) writes.pop();
    const expired = this.clock.monotonic() - pending.since > EXPIRY_MS;
    if (writes.length > 0 && !expired) return false;
    this.#pending.delete(scope);
    return true;
  }
}
