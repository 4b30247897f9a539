/**
 * Calls `act` `count` times in batches of 1, 2, 4 … and stops after a batch with a failure, so that a quota or a
 * broken template costs few requests (k8s pkg/controller/replicaset/replica_set.go: slowStartBatch).
 * Rejects with the first failure.
 */
export async function slowStart(
  count: number,
  act: (index: number) => Promise<unknown>,
): Promise<void> {
  let index = 0;
  for (let size = 1; index < count; size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - index) }, () => act(index++));
    await allOrFirstFailure(batch);
  }
}

/** Waits for all; rejects with the first failure of them only when all have ended. */
export async function allOrFirstFailure(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
