import type { Value } from '../values/value.js';
import { CostExceeded } from '../values/value.js';

/** Values of the variables, by name. Absent ones make the expression fail. */
export interface Activation {
  get(name: string): Value | undefined;
}

/** One evaluation: its variables and what it has cost so far. */
export class Frame {
  cost = 0;
  /** Iteration variables and accumulators, at the places that the plan has given them. */
  readonly locals: Value[] = [];

  constructor(
    readonly activation: Activation,
    private readonly limit: number,
  ) {}

  /** Throws CostExceeded when the limit is passed. */
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.limit) throw new CostExceeded();
  }
}

/** A planned node. */
export type Step = (frame: Frame) => Value;
