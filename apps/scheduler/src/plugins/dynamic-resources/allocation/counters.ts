import type { Device } from '@orrery/api';
import { deviceId } from '../../../cache/device-id.js';
import type { Pool } from './pools.js';
import type { Taken } from '../../../cache/taken-devices.js';
import { toNanos } from '../../../cache/taken-devices.js';

const key = (set: string, counter: string): string => `${set}/${counter}`;

/** What a device takes of its pool's counters, in nanos by set and counter. */
function consumedBy({ consumesCounters = [] }: Device): Map<string, bigint> {
  const amounts = new Map<string, bigint>();
  for (const { counterSet, counters } of consumesCounters)
    for (const [name, { value }] of Object.entries(counters)) {
      const at = key(counterSet, name);
      amounts.set(at, (amounts.get(at) ?? 0n) + toNanos(value));
    }
  return amounts;
}

/** What is left of a pool's counters beside the devices that claims have. */
function freeOf(pool: Pool, taken: Taken): Map<string, bigint> {
  const free = new Map<string, bigint>();
  for (const [set, counters] of pool.counters)
    for (const [name, amount] of counters) free.set(key(set, name), amount);
  for (const device of pool.devices) {
    const id = deviceId({ driver: pool.driver, pool: pool.name, device: device.name });
    if (!taken.has(id) && !taken.consumed(id)) continue;
    for (const [at, amount] of consumedBy(device)) free.set(at, (free.get(at) ?? 0n) - amount);
  }
  return free;
}

/** The counters that partitions of one device share (k8s checkAvailableCounters). */
export class CounterLedger {
  readonly #free = new Map<Pool, Map<string, bigint>>();

  constructor(private readonly taken: Taken) {}

  /** False when not enough is left; else the device's share is taken until `release`. */
  take(pool: Pool, device: Device): boolean {
    if ((device.consumesCounters ?? []).length === 0) return true;
    const free = this.#free.get(pool) ?? freeOf(pool, this.taken);
    this.#free.set(pool, free);
    const amounts = [...consumedBy(device)];
    if (amounts.some(([at, amount]) => (free.get(at) ?? 0n) < amount)) return false;
    for (const [at, amount] of amounts) free.set(at, (free.get(at) ?? 0n) - amount);
    return true;
  }

  release(pool: Pool, device: Device): void {
    const free = this.#free.get(pool);
    for (const [at, amount] of consumedBy(device)) free?.set(at, (free.get(at) ?? 0n) + amount);
  }
}
