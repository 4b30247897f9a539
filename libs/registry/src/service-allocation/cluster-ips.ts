import { newInternalError, trackUpdate } from '@orrery/apimachinery';
import { schemaRegistry } from '@orrery/api';
import type { KubeObject } from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/component';
import { toTime } from '@orrery/component';
import { isStorageError } from '@orrery/storage';
import type { Storage } from '@orrery/storage';
import { encodeObject } from '../representation.js';
import { candidates, contains, isUsable, networkAddress, parseIpRange } from './ip-range.js';
import type { IpRange } from './ip-range.js';
import { SERVER_CAUSE } from '../write-cause.js';

/** Why an address cannot be had; the text goes into the finding. */
export class AllocationError extends Error {
  override readonly name = 'AllocationError';
}

export interface AllocatorDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyPrefix: string;
}

/** Whose address it is. */
export interface Owner {
  readonly namespace: string;
  readonly name: string;
}

interface IpAddress extends KubeObject {
  readonly spec?: { readonly parentRef?: Partial<Owner> };
}

/** As the server has made it, at `now`. */
const owned = (address: KubeObject, now: string): KubeObject =>
  trackUpdate({
    manager: 'kube-apiserver',
    registry: schemaRegistry(),
    schemaName: 'io.k8s.api.networking.v1.IPAddress',
    apiVersion: 'networking.k8s.io/v1',
    now,
    new: address,
  });

/** Longer than any write takes. */
const RECLAIM_AFTER_MS = 60_000;
const CONSISTENT = { freshness: { kind: 'consistent' } } as const;

/**
 * Cluster IPs, each held by one key: creating the key is what allocates it, so two replicas can never hand out one
 * address twice. The keys are upstream's IPAddress objects.
 */
export class ClusterIps {
  readonly range: IpRange;

  constructor(
    private readonly deps: AllocatorDeps,
    cidr: string,
  ) {
    const range = parseIpRange(cidr);
    if (!range) throw newInternalError(`${cidr} is no service range`);
    this.range = range;
  }

  /**
   * Takes exactly `ip`. Throws AllocationError. A dry run does not ask whether it is taken
   * (k8s pkg/registry/core/service/ipallocator/ipallocator.go:allocateService).
   */
  async allocate(ip: string, owner: Owner, dryRun: boolean): Promise<void> {
    const refuse = (why: string): never => {
      throw new AllocationError(`failed to allocate IP ${ip}: ${why}`);
    };
    // Which range is the right one is asked of those that are there, but of a dry run (MetaAllocator.getAllocator there).
    if (!dryRun && !contains(this.range, ip))
      refuse('the provided network does not match the current range');
    if (!isUsable(this.range, ip))
      refuse(
        `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${this.range.cidr}`,
      );
    if (dryRun) return;
    const taken =
      (await this.take(ip, owner)) || ((await this.reclaim(ip)) && (await this.take(ip, owner)));
    if (!taken) refuse('provided IP is already allocated');
  }

  /** Takes any free address; a dry run, none: it shows that of the range. Throws AllocationError when none is left. */
  async allocateNext(owner: Owner, dryRun: boolean): Promise<string> {
    if (dryRun) return networkAddress(this.range);
    for (const ip of candidates(this.range, this.deps.random))
      if (await this.take(ip, owner)) return ip;
    throw new AllocationError('failed to allocate a serviceIP: range is full');
  }

  /** Gives an address back; one that is not held is no error. */
  async release(ip: string): Promise<void> {
    const entry = await this.deps.storage.get(this.keyOf(ip), CONSISTENT);
    if (!entry) return;
    try {
      await this.deps.storage.delete(entry.key, entry.revision, { cause: SERVER_CAUSE });
    } catch (error) {
      if (!isStorageError(error, 'conflict')) throw error;
    }
  }

  /** Frees an address whose Service was never written or is gone: what a crash between two writes leaves. */
  private async reclaim(ip: string): Promise<boolean> {
    const { storage, keyPrefix, clock } = this.deps;
    const entry = await storage.get(this.keyOf(ip), CONSISTENT);
    if (!entry) return true;
    const { metadata, spec } = entry.object as IpAddress;
    const age = clock.now() - Date.parse(metadata.creationTimestamp ?? '');
    const { namespace = '', name = '' } = spec?.parentRef ?? {};
    if (!(age > RECLAIM_AFTER_MS)) return false;
    if (await storage.get(`${keyPrefix}services/specs/${namespace}/${name}`, CONSISTENT))
      return false;
    await this.release(ip);
    return true;
  }

  private keyOf(ip: string): string {
    return `${this.deps.keyPrefix}ipaddresses/${ip}`;
  }

  private async take(ip: string, owner: Owner): Promise<boolean> {
    const { storage, random, clock } = this.deps;
    const object = {
      kind: 'IPAddress',
      apiVersion: 'networking.k8s.io/v1',
      metadata: {
        name: ip,
        uid: random.uuid(),
        creationTimestamp: toTime(clock.now()),
        labels: {
          'ipaddress.kubernetes.io/ip-family': this.range.family,
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: { parentRef: { resource: 'services', ...owner } },
    };
    try {
      await storage.create(this.keyOf(ip), encodeObject(owned(object, toTime(clock.now()))), {
        cause: SERVER_CAUSE,
      });
      return true;
    } catch (error) {
      if (isStorageError(error, 'exists')) return false;
      throw error;
    }
  }
}
