import { AllocationError } from './allocation-error.js';
import { consumedCapacity } from './consumable-capacity.js';
import type { Constraint } from './constraints.js';
import { CounterLedger } from './counters.js';
import { isRepelled } from './device-taints.js';
import type { Candidate, Pool } from './pools.js';
import type { Ask, RequestPlan } from './requests.js';
import { MAX_RESULTS } from './requests.js';
import type { Amounts, Taken } from '../../../cache/taken-devices.js';
import { addAmounts } from '../../../cache/taken-devices.js';

/** A device that is given to a request. */
export interface Grant {
  readonly ask: Ask;
  readonly candidate: Candidate;
  /** Set when others may have the device too: what of its capacities, in nanos. */
  readonly share: Amounts | undefined;
}

export interface ClaimPlan {
  /** As messages name it. */
  readonly name: string;
  readonly requests: readonly RequestPlan[];
  readonly constraints: readonly Constraint[];
}

export interface SearchInput {
  readonly claims: readonly ClaimPlan[];
  readonly pools: readonly Pool[];
  readonly taken: Taken;
  /** Throws when the search has taken too long. */
  readonly checkTime: () => void;
}

/** `too-many`: no devices in place of those before help, as the claim's results are full. */
type Outcome = 'found' | 'none' | 'too-many';

const NOTHING: Amounts = new Map();

const isShared = ({ device }: Candidate): boolean => device.allowMultipleAllocations === true;

/**
 * Tries devices for one request after the other until all claims have theirs: depth first, in the order of claims,
 * requests, alternatives and devices, so the first solution is the one that upstream finds
 * (k8s structured/internal/incubating/allocator_incubating.go:allocateOne). Devices of one request are combined, not
 * permuted.
 */
export class Search {
  /** By claim, in the order of its requests. */
  readonly grants: readonly Grant[][];
  readonly #free: readonly Candidate[];
  readonly #counters: CounterLedger;
  /** Claims that the search gives a device to, by device. */
  readonly #given = new Map<string, number[]>();
  readonly #shares = new Map<string, Map<string, bigint>>();
  readonly #sharers = new Map<string, number>();

  constructor(private readonly input: SearchInput) {
    this.grants = input.claims.map(() => []);
    this.#counters = new CounterLedger(input.taken);
    this.#free = input.pools
      .filter(({ incomplete, invalid }) => !incomplete && !invalid)
      .flatMap(({ candidates }) => candidates);
  }

  /** True when all claims have their devices. Throws AllocationError, and what checkTime throws. */
  run(): boolean {
    return this.#request(0, 0) === 'found';
  }

  #request(claim: number, request: number): Outcome {
    const plan = this.input.claims[claim];
    if (!plan) return 'found';
    const wanted = plan.requests[request];
    if (!wanted) {
      // Another claim may still need fewer devices when this one gets others.
      const outcome = this.#request(claim + 1, 0);
      return outcome === 'too-many' ? 'none' : outcome;
    }
    let worst: Outcome = 'too-many';
    for (const ask of wanted.asks) {
      const outcome = this.#devices({ claim, request, ask }, 0, 0);
      if (outcome === 'found') return outcome;
      if (outcome === 'none') worst = outcome;
    }
    return worst;
  }

  /** The device of that index of a request, and all that comes after it. */
  #devices(at: Place, index: number, from: number): Outcome {
    this.input.checkTime();
    const { claim, request, ask } = at;
    if (ask.all?.length === 0) return 'none';
    if (index >= ask.count) return this.#request(claim, request + 1);
    if ((this.grants[claim]?.length ?? 0) + ask.count - index > MAX_RESULTS) return 'too-many';
    // Of all devices every one is needed: there is nothing to choose.
    const next = ask.all?.[index];
    return next ? (this.#try(at, index, next, 0) ?? 'none') : this.#choose(at, index, from);
  }

  #choose(at: Place, index: number, from: number): Outcome {
    for (let i = from; i < this.#free.length; i++) {
      const candidate = this.#free[i];
      if (!candidate || this.#isTaken(at, candidate) || !at.ask.selects(candidate)) continue;
      const outcome = this.#try(at, index, candidate, i + 1);
      if (outcome === 'found' || outcome === 'too-many') return outcome;
    }
    return 'none';
  }

  /** What comes of giving the device; undefined when it cannot be given. Nothing stays given unless all is found. */
  #try(at: Place, index: number, candidate: Candidate, next: number): Outcome | undefined {
    const grant = this.#give(at, candidate);
    if (!grant) return undefined;
    const outcome = this.#devices(at, index + 1, next);
    if (outcome !== 'found') this.#takeBack(at, grant);
    return outcome;
  }

  #isTaken({ claim, ask }: Place, candidate: Candidate): boolean {
    const given = this.#given.get(candidate.id) ?? [];
    if (ask.adminAccess) return given.includes(claim);
    return given.length > 0 || this.input.taken.has(candidate.id);
  }

  #usedOf({ id }: Candidate): Amounts {
    const used = new Map(this.input.taken.consumed(id) ?? NOTHING);
    addAmounts(used, this.#shares.get(id) ?? NOTHING, 1n);
    return used;
  }

  #give(at: Place, candidate: Candidate): Grant | undefined {
    const { claim, ask } = at;
    const { device, pool, id } = candidate;
    if (this.#isTaken(at, candidate) || isRepelled(device, ask.tolerations)) return undefined;
    const consumed = consumedCapacity(device, ask.capacity, this.#usedOf(candidate));
    if (!consumed || !this.#takeCounters(candidate)) return undefined;
    if (!this.#constrain(at, candidate)) {
      this.#releaseCounters(candidate);
      if (!ask.all) return undefined;
      throw new AllocationError(
        `claim ${this.input.claims[claim]?.name ?? ''}, request ${ask.name}: cannot add device ${pool.driver}/${pool.name}/${device.name} because a claim constraint would not be satisfied`,
      );
    }
    const share = isShared(candidate) ? consumed : undefined;
    if (share) {
      const shares = this.#shares.get(id) ?? new Map<string, bigint>();
      addAmounts(shares, share, 1n);
      this.#shares.set(id, shares);
      this.#sharers.set(id, (this.#sharers.get(id) ?? 0) + 1);
    } else this.#given.set(id, [...(this.#given.get(id) ?? []), claim]);
    const grant = { ask, candidate, share };
    this.grants[claim]?.push(grant);
    return grant;
  }

  #takeBack({ claim, ask }: Place, { candidate, share }: Grant): void {
    const { id } = candidate;
    this.grants[claim]?.pop();
    if (share) {
      addAmounts(this.#shares.get(id) ?? new Map<string, bigint>(), share, -1n);
      this.#sharers.set(id, (this.#sharers.get(id) ?? 0) - 1);
    } else this.#given.set(id, (this.#given.get(id) ?? []).slice(0, -1));
    for (const constraint of this.input.claims[claim]?.constraints ?? [])
      constraint.remove(ask.name);
    this.#releaseCounters(candidate);
  }

  /** Whoever shares a device takes of its counters once. */
  #isInUse(candidate: Candidate): boolean {
    const { id } = candidate;
    const used = this.input.taken.consumed(id) !== undefined || (this.#sharers.get(id) ?? 0) > 0;
    return isShared(candidate) && used;
  }

  #takeCounters(candidate: Candidate): boolean {
    return this.#isInUse(candidate) || this.#counters.take(candidate.pool, candidate.device);
  }

  #releaseCounters(candidate: Candidate): void {
    if (!this.#isInUse(candidate)) this.#counters.release(candidate.pool, candidate.device);
  }

  #constrain({ claim, ask }: Place, candidate: Candidate): boolean {
    const constraints = this.input.claims[claim]?.constraints ?? [];
    const refusing = constraints.findIndex((each) => !each.add(ask.name, candidate));
    if (refusing < 0) return true;
    for (const each of constraints.slice(0, refusing)) each.remove(ask.name);
    return false;
  }
}

interface Place {
  readonly claim: number;
  readonly request: number;
  readonly ask: Ask;
}
