import { backendKey } from '../rule-set.js';
import type { Backend } from '../rule-set.js';
import type { Policy } from './policy.js';

/** Exact rotation: each choice is the successor, in the rule's order, of the one before. */
export class RoundRobinPolicy implements Policy {
  private last: string | undefined;
  private lastIndex = -1;

  pick(candidates: readonly Backend[]): Backend {
    const found = candidates.findIndex((backend) => backendKey(backend) === this.last);
    // The one before has gone: the backend that moved into its place is next.
    const next = (found >= 0 ? found + 1 : Math.max(this.lastIndex, 0)) % candidates.length;
    const chosen = candidates[next] as Backend;
    this.last = backendKey(chosen);
    this.lastIndex = next;
    return chosen;
  }
}
