interface Entry {
  delayMs: number;
  lastUpdateMs: number;
}

interface Limits {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Delays of repeated failures by key, forgotten after twice the maximum (k8s client-go util/flowcontrol/backoff.go). */
export class Backoff {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly now: () => number,
    private readonly options: Limits,
  ) {}

  /** Current delay of `key` in ms. */
  get(key: string): number {
    return this.entries.get(key)?.delayMs ?? 0;
  }

  /** Doubles the delay, or starts anew when the failure at `eventMs` came long after the last. */
  next(key: string, eventMs: number): void {
    const entry = this.entries.get(key);
    const fresh = !entry || eventMs - entry.lastUpdateMs > this.options.maxMs * 2;
    this.entries.set(key, {
      delayMs: fresh ? this.options.initialMs : Math.min(entry.delayMs * 2, this.options.maxMs),
      lastUpdateMs: this.now(),
    });
  }

  /** Milliseconds still to wait after a failure at `eventMs`; 0 = go on. */
  remaining(key: string, eventMs: number): number {
    const entry = this.entries.get(key);
    if (!entry || eventMs - entry.lastUpdateMs > this.options.maxMs * 2) return 0;
    return Math.max(0, entry.delayMs - (this.now() - eventMs));
  }

  /** Milliseconds still to wait after the last failure itself. */
  remainingSinceUpdate(key: string): number {
    const entry = this.entries.get(key);
    return entry ? Math.max(0, entry.lastUpdateMs + entry.delayMs - this.now()) : 0;
  }

  /** Forgets what has not failed for so long that it would start anew. */
  collect(): void {
    for (const [key, { lastUpdateMs }] of this.entries)
      if (this.now() - lastUpdateMs > this.options.maxMs * 2) this.entries.delete(key);
  }

  forget(prefix: string): void {
    for (const key of this.entries.keys()) if (key.startsWith(prefix)) this.entries.delete(key);
  }
}
