import { backendKey } from '../rule-set.js';
import type { Backend } from '../rule-set.js';
import type { Policy } from './policy.js';

/** Rotation in proportion to the weights, spread evenly (smooth weighted round robin). */
export class WeightedRoundRobinPolicy implements Policy {
  private credit = new Map<string, number>();

  pick(candidates: readonly Backend[]): Backend {
    const credit = new Map<string, number>();
    let total = 0;
    let best = candidates[0] as Backend;
    let bestCredit = -Infinity;
    for (const backend of candidates) {
      const key = backendKey(backend);
      const own = (this.credit.get(key) ?? 0) + backend.weight;
      credit.set(key, own);
      total += backend.weight;
      if (own > bestCredit) {
        best = backend;
        bestCredit = own;
      }
    }
    credit.set(backendKey(best), bestCredit - total);
    this.credit = credit;
    return best;
  }
}
