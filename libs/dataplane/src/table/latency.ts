/** Upper bounds, in seconds, of the times that are counted apart. */
export const LATENCY_BUCKETS = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5] as const;

/** A histogram of durations. */
export class Latency {
  private readonly counts: number[] = Array(LATENCY_BUCKETS.length + 1).fill(0) as number[];
  private sum = 0;

  observe(seconds: number): void {
    let at = 0;
    while (at < LATENCY_BUCKETS.length && seconds > (LATENCY_BUCKETS[at] as number)) at += 1;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sum += seconds;
  }

  /** Cumulative, as Prometheus wants them; the last one counts all. */
  view(): { readonly counts: readonly number[]; readonly sum: number } {
    let total = 0;
    return { counts: this.counts.map((count) => (total += count)), sum: this.sum };
  }
}
