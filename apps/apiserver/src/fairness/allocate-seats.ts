/** How many seats one level may have, and would like to. */
export interface SeatWish {
  readonly least: number;
  readonly most: number;
  /** At least `least`. */
  readonly target: number;
}

export interface Allocation {
  /** By the order of the wishes; together they are the sum that was given out. */
  readonly seats: readonly number[];
  /** Those whose bounds do not hold them get this part of their target. */
  readonly fraction: number;
}

const LEAST_TARGET = 0.001;
/** Sums that differ by less are the same: fractions of seats do not add up to the bit. */
const TOLERANCE = 1e-6;

/**
 * Gives out `sum` seats: the same part of the target to each, within its bounds (k8s apiserver
 * util/flowcontrol/conc_alloc.go:computeConcurrencyAllocation). Undefined where the bounds leave no such sum.
 */
export function allocateSeats(sum: number, wishes: readonly SeatWish[]): Allocation | undefined {
  const targets = wishes.map(({ target }) => Math.max(target, LEAST_TARGET));
  const shareAt = (fraction: number): number[] =>
    wishes.map(({ least, most }, i) =>
      Math.max(least, Math.min(most, fraction * (targets[i] ?? LEAST_TARGET))),
    );
  const totalAt = (fraction: number): number =>
    shareAt(fraction).reduce((total, seats) => total + seats, 0);
  // The total grows with the fraction, evenly between the points where one level reaches a bound.
  const corners = wishes
    .flatMap(({ least, most }, i) => [least, most].map((one) => one / (targets[i] ?? LEAST_TARGET)))
    .sort((a, b) => a - b);
  let from = corners[0] ?? 0;
  if (totalAt(from) > sum + TOLERANCE) return undefined;
  for (const to of corners) {
    const [low, high] = [totalAt(from), totalAt(to)];
    if (high >= sum - TOLERANCE) {
      const part = high > low ? Math.min(1, Math.max(0, (sum - low) / (high - low))) : 0;
      const fraction = from + (to - from) * part;
      return { seats: shareAt(fraction), fraction };
    }
    from = to;
  }
  return undefined;
}
