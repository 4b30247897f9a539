import type { Backend } from '../rule-set.js';
import type { Flow, Policy } from './policy.js';

/** The lowest load wins, the first in order among equals; with `idleFirst` (never queue) an idle backend wins outright. */
export class LeastConnectionPolicy implements Policy {
  constructor(
    private readonly load: (active: number, weight: number) => number,
    private readonly idleFirst: boolean,
  ) {}

  pick(candidates: readonly Backend[], flow: Flow): Backend {
    let best = candidates[0] as Backend;
    let lowest = Infinity;
    for (const backend of candidates) {
      const active = flow.active(backend);
      if (this.idleFirst && active === 0) return backend;
      const load = this.load(active, Math.max(backend.weight, 1));
      if (load < lowest) {
        best = backend;
        lowest = load;
      }
    }
    return best;
  }
}
