import type { Random } from '@orrery/component';
import type { Backend } from '../rule-set.js';
import type { Policy } from './policy.js';

/** Equal probability, no memory: what the iptables `statistic` rules do. */
export class RandomPolicy implements Policy {
  constructor(private readonly random: Random) {}

  pick(candidates: readonly Backend[]): Backend {
    const at = Math.floor(this.random.next() * candidates.length);
    return candidates[at] as Backend;
  }
}
