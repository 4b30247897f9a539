import type { ClusterEvent } from '../framework/cluster-event.js';

/**
 * What happened while pods were being scheduled: an event that came after a pod was taken must not be missed when
 * the pod comes back refused. Events are dropped once no pod taken before them is in flight.
 */
export class InFlight {
  readonly #takenAt = new Map<string, number>();
  #events: ClusterEvent[] = [];
  /** Sequence number of the first event kept. */
  #base = 0;

  get size(): number {
    return this.#takenAt.size;
  }

  has(uid: string): boolean {
    return this.#takenAt.has(uid);
  }

  take(uid: string): void {
    this.#takenAt.set(uid, this.#base + this.#events.length);
  }

  record(event: ClusterEvent): void {
    if (this.#takenAt.size > 0) this.#events.push(event);
  }

  /** Events kept, by name. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { name } of this.#events) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  }

  eventsSince(uid: string): readonly ClusterEvent[] {
    const at = this.#takenAt.get(uid);
    return at === undefined ? [] : this.#events.slice(at - this.#base);
  }

  done(uid: string): void {
    const at = this.#takenAt.get(uid);
    if (at === undefined) return;
    this.#takenAt.delete(uid);
    if (this.#takenAt.size === 0) {
      this.#base += this.#events.length;
      this.#events = [];
    } else if (at === this.#base) this.#trim();
  }

  #trim(): void {
    let oldest = Number.POSITIVE_INFINITY;
    for (const at of this.#takenAt.values()) oldest = Math.min(oldest, at);
    this.#events.splice(0, oldest - this.#base);
    this.#base = oldest;
  }
}
