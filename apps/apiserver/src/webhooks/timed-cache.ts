import type { Clock } from '@orrery/component';

const SIZE = 8192;

/** Values that are believed for a while; the keys used last are kept. */
export class TimedCache<T> {
  private readonly entries = new Map<string, { readonly value: T; readonly until: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly size = SIZE,
  ) {}

  get(key: string): T | undefined {
    const found = this.entries.get(key);
    if (!found) return undefined;
    this.entries.delete(key);
    if (found.until <= this.clock.monotonic()) return undefined;
    this.entries.set(key, found);
    return found.value;
  }

  set(key: string, value: T, ttlMs: number): void {
    if (ttlMs <= 0) return;
    this.entries.delete(key);
    this.entries.set(key, { value, until: this.clock.monotonic() + ttlMs });
    const [oldest] = this.entries.keys();
    if (this.entries.size > this.size && oldest !== undefined) this.entries.delete(oldest);
  }
}
