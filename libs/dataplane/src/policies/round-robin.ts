import type { Backend } from '../rule-set.js';
import type { Policy } from './policy.js';

/** Exact rotation: each choice is the successor, in the rule's order, of the one before. */
export class RoundRobinPolicy implements Policy {
  private last: Backend | undefined;
  private lastIndex = -1;

  pick(candidates: readonly Backend[]): Backend {
    const { last } = this;
    const found = last
      ? candidates.findIndex(({ address, port }) => port === last.port && address === last.address)
      : -1;
    // The one before has gone: the backend that moved into its place is next.
    const next = (found >= 0 ? found + 1 : Math.max(this.lastIndex, 0)) % candidates.length;
    const chosen = candidates[next] as Backend;
    this.last = chosen;
    this.lastIndex = next;
    return chosen;
  }
}
