import type { ObjectKey } from '@orrery/apimachinery';
import { keyOf, toKeyString } from '@orrery/apimachinery';
import type { AllocationResult, ResourceClaim } from '@orrery/api';
import { revisionOf } from '@orrery/client';
import type { Clock } from '@orrery/component';
import type { Taken } from './taken-devices.js';
import { TakenDevices } from './taken-devices.js';

const keyStringOf = (claim: ResourceClaim): string => toKeyString(keyOf(claim));

const isNewer = (claim: ResourceClaim, than: ResourceClaim): boolean =>
  (revisionOf(claim) ?? 0) > (revisionOf(than) ?? 0);

/**
 * Resource claims as the scheduler knows them, with what it decided and the watch does not show yet, and the devices
 * that all of them have.
 *
 *             pend                     settle, assume               watch
 *   free ────────────> pending ──────────────────────────> assumed ───────> seen
 *    ^                    │ settle (given up)
 *    └────────────────────┘
 */
export class ClaimLedger {
  readonly #seen = new Map<string, ResourceClaim>();
  /** Written by us, newer than what is seen. */
  readonly #assumed = new Map<string, ResourceClaim>();
  /** By uid: allocated in mind alone, the write is under way. */
  readonly #pending = new Map<string, ResourceClaim>();
  /** By a made-up uid: decided for claims that are still to be made. */
  readonly #planned = new Map<string, AllocationResult>();
  /** The allocation of each claim that is counted in `taken`. */
  readonly #counted = new Map<string, AllocationResult>();
  readonly #taken = new TakenDevices();
  /** By claim: ends the waits for the watch to show it. */
  readonly #awaited = new Map<string, Set<() => void>>();

  /** What claims have, pending ones too. */
  get taken(): Taken {
    return this.#taken;
  }

  get(key: ObjectKey): ResourceClaim | undefined {
    const name = toKeyString(key);
    return this.#assumed.get(name) ?? this.#seen.get(name);
  }

  find(fits: (claim: ResourceClaim) => boolean): ResourceClaim | undefined {
    for (const name of this.#seen.keys()) {
      const claim = this.#assumed.get(name) ?? this.#seen.get(name);
      if (claim && fits(claim)) return claim;
    }
    return undefined;
  }

  /** A claim is decided to be made with these devices: they are taken until `drop`. */
  plan(uid: string, allocation: AllocationResult): void {
    this.drop(uid);
    this.#planned.set(uid, allocation);
    this.#taken.add(allocation);
  }

  /** The claim is made and seen, or given up. */
  drop(uid: string): void {
    const planned = this.#planned.get(uid);
    if (planned && this.#planned.delete(uid)) this.#taken.remove(planned);
  }

  isPending(uid: string): boolean {
    return this.#pending.has(uid);
  }

  /** The watch shows the claim. */
  observe(claim: ResourceClaim): void {
    const name = keyStringOf(claim);
    this.#seen.set(name, claim);
    const assumed = this.#assumed.get(name);
    if (assumed && !isNewer(assumed, claim)) this.#assumed.delete(name);
    this.#recount(name);
    for (const end of this.#awaited.get(name) ?? []) end();
  }

  /** Resolves once the watch shows the claim, or `ms` are over; rejects with the signal's reason. */
  async whenSeen(
    key: ObjectKey,
    { clock, ms }: { readonly clock: Clock; readonly ms: number },
    signal: AbortSignal,
  ): Promise<void> {
    const name = toKeyString(key);
    if (this.#seen.has(name)) return;
    const seen = new AbortController();
    const end = (): void => {
      seen.abort();
    };
    const waiting = this.#awaited.get(name) ?? new Set();
    this.#awaited.set(name, waiting.add(end));
    try {
      await clock.sleep(ms, AbortSignal.any([signal, seen.signal]));
    } catch (error) {
      if (!seen.signal.aborted || signal.aborted) throw error;
    } finally {
      waiting.delete(end);
      if (waiting.size === 0) this.#awaited.delete(name);
    }
  }

  /** The watch shows that the claim is gone. */
  forget(claim: ResourceClaim): void {
    const name = keyStringOf(claim);
    this.#seen.delete(name);
    this.#assumed.delete(name);
    this.#recount(name);
  }

  /** The claim is decided to have the allocation that its status has here. */
  pend(claim: ResourceClaim): void {
    this.#pending.set(claim.metadata.uid ?? '', claim);
    this.#recount(keyStringOf(claim));
  }

  /** The decision is written, or given up. */
  settle(claim: ResourceClaim): void {
    if (this.#pending.delete(claim.metadata.uid ?? '')) this.#recount(keyStringOf(claim));
  }

  /** What the API server answered to a write of ours. */
  assume(claim: ResourceClaim): void {
    const name = keyStringOf(claim);
    const seen = this.#seen.get(name);
    if (!seen || !isNewer(claim, seen)) return;
    this.#assumed.set(name, claim);
    this.#recount(name);
  }

  #recount(name: string): void {
    const claim = this.#assumed.get(name) ?? this.#seen.get(name);
    const pending = claim && this.#pending.get(claim.metadata.uid ?? '');
    const now = (pending ?? claim)?.status?.allocation;
    const before = this.#counted.get(name);
    if (now === before) return;
    if (before) this.#taken.remove(before);
    if (now) {
      this.#taken.add(now);
      this.#counted.set(name, now);
    } else this.#counted.delete(name);
  }
}
