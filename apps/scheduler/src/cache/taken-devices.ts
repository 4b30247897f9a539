import { parseQuantity } from '@orrery/apimachinery';
import type { AllocationResult } from '@orrery/api';
import { deviceId } from './device-id.js';

/** Consumed amounts by name of the capacity, in nanos. */
export type Amounts = ReadonlyMap<string, bigint>;

/** What claims have of the devices of the cluster. */
export interface Taken {
  /** Some claim has the device for itself. */
  has(id: string): boolean;
  /** What claims that share the device have of its capacity; undefined when nobody does. */
  consumed(id: string): Amounts | undefined;
}

export const toNanos = (text: string): bigint => parseQuantity(text).nanos;

export function amountsOf(capacity: Readonly<Record<string, string>> | undefined): Amounts {
  return new Map(Object.entries(capacity ?? {}).map(([name, text]) => [name, toNanos(text)]));
}

/** Adds amounts to others; those that come to nothing are gone. */
export function addAmounts(to: Map<string, bigint>, amounts: Amounts, sign: 1n | -1n): void {
  for (const [name, amount] of amounts) {
    const sum = (to.get(name) ?? 0n) + sign * amount;
    if (sum === 0n) to.delete(name);
    else to.set(name, sum);
  }
}

/** Counts what allocations take. What is allocated for administrators is not taken (k8s foreachAllocatedDevice). */
export class TakenDevices implements Taken {
  readonly #owners = new Map<string, number>();
  readonly #shares = new Map<string, number>();
  readonly #consumed = new Map<string, Map<string, bigint>>();

  has(id: string): boolean {
    return this.#owners.has(id);
  }

  consumed(id: string): Amounts | undefined {
    return this.#shares.has(id) ? (this.#consumed.get(id) ?? new Map()) : undefined;
  }

  add(allocation: AllocationResult): void {
    this.#count(allocation, 1);
  }

  /** Only of what was added. */
  remove(allocation: AllocationResult): void {
    this.#count(allocation, -1);
  }

  #count(allocation: AllocationResult, sign: 1 | -1): void {
    for (const result of allocation.devices?.results ?? []) {
      if (result.adminAccess === true) continue;
      const id = deviceId(result);
      if (result.shareID === undefined) bump(this.#owners, id, sign);
      else {
        bump(this.#shares, id, sign);
        const consumed = this.#consumed.get(id) ?? new Map<string, bigint>();
        addAmounts(consumed, amountsOf(result.consumedCapacity), sign === 1 ? 1n : -1n);
        this.#consumed.set(id, consumed);
        if (!this.#shares.has(id)) this.#consumed.delete(id);
      }
    }
  }
}

function bump(counts: Map<string, number>, id: string, by: number): void {
  const count = (counts.get(id) ?? 0) + by;
  if (count === 0) counts.delete(id);
  else counts.set(id, count);
}
