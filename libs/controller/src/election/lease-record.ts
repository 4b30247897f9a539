import type { Lease } from '@orrery/api';
import { toMicroTime } from '@orrery/component';

/** A lease as a candidate saw it, and when (monotonic). */
export interface Observation {
  readonly lease: Lease;
  readonly at: number;
}

interface ElectionInput {
  readonly lease: Lease;
  readonly observed: Observation | undefined;
  readonly identity: string;
  /** Monotonic. */
  readonly now: number;
  readonly leaseDurationMs: number;
}

/** Pure: whether to take or renew the lease, and what to remember of it. */
export function decideElection(input: ElectionInput): {
  readonly action: 'take' | 'wait';
  readonly observed: Observation;
} {
  const { lease, identity, now, leaseDurationMs } = input;
  const unchanged =
    input.observed?.lease.metadata.resourceVersion === lease.metadata.resourceVersion;
  const observed = unchanged && input.observed ? input.observed : { lease, at: now };
  const holder = lease.spec?.holderIdentity ?? '';
  // What the holder promised counts as well: it may be configured to a longer term than we are.
  const promisedMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
  const expired = observed.at + Math.max(leaseDurationMs, promisedMs) < now;
  const free = holder === '' || holder === identity || expired;
  return { action: free ? 'take' : 'wait', observed };
}

/** The spec that makes `identity` the holder. */
export function leaseRecord(
  identity: string,
  leaseDurationMs: number,
  now: number,
  old?: Lease['spec'],
): Lease['spec'] {
  const time = toMicroTime(now);
  const same = old?.holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
    acquireTime: same && old?.acquireTime ? old.acquireTime : time,
    renewTime: time,
    leaseTransitions: (old?.leaseTransitions ?? 0) + (old && !same ? 1 : 0),
  };
}
