import type { Random } from '@orrery/component';
import { SystemRandom } from '@orrery/component';

import type { EtcdClient } from './etcd-client.js';

interface SharedLease {
  readonly id: string;
  readonly createdAt: number;
  keys: number;
}

/** k8s 1.20.2 apiserver/pkg/storage/etcd3/lease_manager.go: the same three figures. */
const REUSE_MS = 60_000;
const REUSE_SHARE = 0.05;
const MOST_KEYS = 1000;
const MOST_ID = 2 ** 52;

/**
 * Leases shared by keys of about the same lifetime, as upstream's lease manager does: a lease per Event would cost
 * etcd more than the Event. A key lives at least its ttl, and at most 5 % (or a minute) longer.
 */
export class LeasePool {
  private readonly leases = new Map<number, Promise<SharedLease>>();

  constructor(
    private readonly client: EtcdClient,
    private readonly random: Random = new SystemRandom(),
  ) {}

  /** The id of a lease that outlives `ttlSeconds` from now. */
  async leaseFor(ttlSeconds: number): Promise<string> {
    const reuseMs = Math.min(REUSE_MS, ttlSeconds * 1000 * REUSE_SHARE);
    for (;;) {
      const pending = this.leases.get(ttlSeconds) ?? this.grant(ttlSeconds, reuseMs);
      const lease = await pending;
      const fresh = this.client.clock.monotonic() - lease.createdAt <= reuseMs;
      if (fresh && lease.keys < MOST_KEYS) {
        lease.keys++;
        return lease.id;
      }
      if (this.leases.get(ttlSeconds) === pending) this.leases.delete(ttlSeconds);
    }
  }

  /** Forgets a lease that etcd no longer knows. */
  forget(ttlSeconds: number): void {
    this.leases.delete(ttlSeconds);
  }

  private grant(ttlSeconds: number, reuseMs: number): Promise<SharedLease> {
    const pending = this.requestLease(Math.ceil(ttlSeconds + reuseMs / 1000));
    this.leases.set(ttlSeconds, pending);
    pending.catch(() => {
      if (this.leases.get(ttlSeconds) === pending) this.leases.delete(ttlSeconds);
    });
    return pending;
  }

  private async requestLease(seconds: number): Promise<SharedLease> {
    const createdAt = this.client.clock.monotonic();
    let id = '';
    await this.client.call({ kind: 'read', what: 'lease grant' }, (etcd, options) => {
      // An id of our own, per try: those that etcd picks have 63 bits, which not every protobuf runtime carries exactly.
      id = String(1 + Math.floor(this.random.next() * MOST_ID));
      return etcd.leaseClient.leaseGrant({ TTL: seconds, ID: id }, options);
    });
    return { id, createdAt, keys: 0 };
  }
}
