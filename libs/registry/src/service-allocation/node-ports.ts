import { newInternalError } from '@orrery/apimachinery';
import { isStorageError } from '@orrery/storage';
import type { Entry } from '@orrery/storage';
import { encodeObject } from '../representation.js';
import { AllocationError } from './cluster-ips.js';
import type { AllocatorDeps } from './cluster-ips.js';
import { SERVER_CAUSE } from '../write-cause.js';

interface RangeAllocation {
  readonly data?: string;
}

const CONSISTENT = { freshness: { kind: 'consistent' } } as const;
const ATTEMPTS = 16;

/**
 * Node ports, held in one bitmap that is only ever replaced at the revision it was read at. The key and its
 * encoding are upstream's RangeAllocation (bit i, from the least, is port first + i).
 */
export class NodePorts {
  private readonly first: number;
  private readonly last: number;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly deps: AllocatorDeps,
    private readonly range: string,
  ) {
    const match = /^(\d+)-(\d+)$/.exec(range);
    if (!match) throw newInternalError(`${range} is no node port range`);
    this.first = Number(match[1]);
    this.last = Number(match[2]);
  }

  /**
   * Takes exactly `port`. Throws AllocationError. A dry run asks only whether it is taken, which one outside of the range
   * never is (k8s pkg/registry/core/service/portallocator/operation.go:Allocate).
   */
  async allocate(port: number, dryRun: boolean): Promise<void> {
    if (port < this.first || port > this.last) {
      if (dryRun) return;
      throw new AllocationError(
        `provided port is not in the valid range. The range of valid ports is ${this.range}`,
      );
    }
    await this.change(dryRun, (bits) => {
      const bit = 1n << BigInt(port - this.first);
      if (bits & bit) throw new AllocationError('provided port is already allocated');
      return bits | bit;
    });
  }

  /** Takes any free port. Throws AllocationError when none is left. */
  async allocateNext(dryRun: boolean): Promise<number> {
    const size = this.last - this.first + 1;
    let taken = 0;
    await this.change(dryRun, (bits) => {
      const start = Math.floor(this.deps.random.next() * size);
      for (let i = 0; i < size; i++) {
        const offset = (start + i) % size;
        const bit = 1n << BigInt(offset);
        if (bits & bit) continue;
        taken = this.first + offset;
        return bits | bit;
      }
      throw new AllocationError('failed to allocate a nodePort: range is full');
    });
    return taken;
  }

  async release(ports: readonly number[]): Promise<void> {
    if (ports.length === 0) return;
    await this.change(false, (bits) =>
      ports
        .filter((port) => port >= this.first && port <= this.last)
        .reduce((left, port) => left & ~(1n << BigInt(port - this.first)), bits),
    );
  }

  /** Changes of this server wait for each other: only those of other replicas can still be in the way. */
  private change(dryRun: boolean, change: (bits: bigint) => bigint): Promise<void> {
    const next = this.queue.then(() => this.changeNow(dryRun, change));
    this.queue = next.catch(() => undefined);
    return next;
  }

  private async changeNow(dryRun: boolean, change: (bits: bigint) => bigint): Promise<void> {
    const { storage, keyPrefix } = this.deps;
    const key = `${keyPrefix}ranges/servicenodeports`;
    for (let left = ATTEMPTS; ; left--) {
      const entry = await storage.get(key, CONSISTENT);
      const bits = change(bitsOf(entry));
      if (dryRun) return;
      try {
        const value = this.encode(bits);
        if (entry) await storage.update(key, entry.revision, value, { cause: SERVER_CAUSE });
        else await storage.create(key, value, { cause: SERVER_CAUSE });
        return;
      } catch (error) {
        const raced = isStorageError(error, 'conflict') || isStorageError(error, 'exists');
        if (!raced || left <= 1) throw error;
      }
    }
  }

  private encode(bits: bigint): Buffer {
    const hex = bits === 0n ? '' : bits.toString(16);
    const data = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex').toString('base64');
    const object = {
      kind: 'RangeAllocation',
      apiVersion: 'v1',
      metadata: {},
      range: this.range,
      data,
    };
    return encodeObject(object);
  }
}

function bitsOf(entry: Entry | undefined): bigint {
  const { data = '' } = (entry?.object ?? {}) as RangeAllocation;
  const hex = Buffer.from(data, 'base64').toString('hex');
  return hex === '' ? 0n : BigInt(`0x${hex}`);
}
