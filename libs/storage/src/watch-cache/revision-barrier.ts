/** Revision requests under way at once; more readers than that share the next one. */
const MOST_IN_FLIGHT = 2;

interface Batch {
  readonly promise: Promise<number>;
  readonly resolve: (revision: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Coalesces quorum reads of the current revision. A caller joins only a request that has not been sent yet: the
 * answer of one already under way may be older than a write that was acknowledged before this call.
 */
export class RevisionBarrier {
  private inFlight = 0;
  private waiting: Batch | undefined;

  constructor(private readonly request: () => Promise<number>) {}

  next(): Promise<number> {
    if (this.waiting) return this.waiting.promise;
    const batch = newBatch();
    this.waiting = batch;
    if (this.inFlight < MOST_IN_FLIGHT) queueMicrotask(() => this.send());
    return batch.promise;
  }

  private send(): void {
    const batch = this.waiting;
    if (!batch || this.inFlight >= MOST_IN_FLIGHT) return;
    this.waiting = undefined;
    this.inFlight++;
    const done = (): void => {
      this.inFlight--;
      this.send();
    };
    this.request().then(batch.resolve, batch.reject).then(done, done);
  }
}

function newBatch(): Batch {
  let resolve: Batch['resolve'] = () => undefined;
  let reject: Batch['reject'] = () => undefined;
  const promise = new Promise<number>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
