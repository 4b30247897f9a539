import { allocateSeats } from './allocate-seats.js';
import type { SeatDemand } from './seat-demand.js';

/** The limits of one level, in seats. */
export interface SeatLimits {
  readonly isExempt: boolean;
  /** Its share of the server. */
  readonly nominal: number;
  /** What it never lends. */
  readonly lower: number;
  /** With all that it may borrow. */
  readonly upper: number;
}

export interface Borrower {
  readonly limits: SeatLimits;
  readonly demand: SeatDemand;
  /** Seats for now. */
  current: number;
  /** What it would like to have. */
  target: number;
}

/** What a level keeps of its own: what it needed of late, or what it does not lend, whichever is more. */
function kept({ limits, demand }: Borrower): number {
  const { isExempt, lower, nominal } = limits;
  const { highWatermark } = demand;
  return Math.max(lower, isExempt ? highWatermark : Math.min(nominal, highWatermark));
}

/**
 * Gives each level its seats for the next ten seconds: what one needs little of, others may borrow. Returns the part of
 * their targets that levels within their bounds get (k8s apiserver
 * util/flowcontrol/apf_controller.go:updateBorrowingLocked, KEP-1040).
 */
export function borrowSeats(levels: readonly Borrower[]): number {
  for (const { demand } of levels) demand.settle();
  const sum = (of: (one: Borrower) => number): number =>
    levels.reduce((total, one) => total + of(one), 0);
  const exempt = levels.filter(({ limits }) => limits.isExempt);
  const others = levels.filter(({ limits }) => !limits.isExempt);
  for (const one of exempt) one.current = one.target = kept(one);
  // Nobody limits exempt levels: what they take is missing elsewhere.
  const left = sum(({ limits }) => limits.nominal) - exempt.reduce((n, one) => n + kept(one), 0);
  const wishes = others.map((one) => ({
    least: kept(one),
    most: one.limits.upper,
    target: Math.max(kept(one), one.demand.smoothed),
  }));
  others.forEach((one, i) => (one.target = wishes[i]?.target ?? 0));
  const least = others.reduce((n, { limits }) => n + limits.lower, 0);
  const wanted = others.reduce((n, one) => n + kept(one), 0);
  if (left <= wanted) {
    const part = left <= least ? 0 : (left - least) / (wanted - least);
    for (const one of others) {
      const { lower } = one.limits;
      one.current = lower + Math.round(part * (kept(one) - lower));
    }
    return 0;
  }
  const found = allocateSeats(left, wishes);
  if (!found) return 0;
  others.forEach((one, i) => (one.current = Math.round(found.seats[i] ?? one.current)));
  return found.fraction;
}
