import type { Random } from '@orrery/component';
import type { Backend, PolicyName } from '../rule-set.js';
import { RandomPolicy } from './random.js';
import { RoundRobinPolicy } from './round-robin.js';
import { WeightedRoundRobinPolicy } from './weighted-round-robin.js';
import { LeastConnectionPolicy } from './least-connection.js';
import { HashPolicy } from './hash.js';
import { MaglevPolicy } from './maglev.js';

/** What a policy may know of the connection for which it chooses. */
export interface Flow {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly frontendAddress: string;
  /** Connections (or UDP sessions) open to a backend now. */
  active(backend: Backend): number;
}

/**
 * Chooses a backend; keeps what it must remember between two choices. One instance serves one rule for its whole life
 * and is told the candidates anew each time, so that it survives changes of endpoints.
 */
export interface Policy {
  /** `candidates` is never empty and in the rule's order. */
  pick(candidates: readonly Backend[], flow: Flow): Backend;
}

/** The policy of this name (IPVS: https://docs.kernel.org/networking/ipvs-sysctl.html, ipvsadm(8)). */
export function createPolicy(name: PolicyName, random: Random): Policy {
  switch (name) {
    case 'random':
      return new RandomPolicy(random);
    case 'rr':
      return new RoundRobinPolicy();
    case 'wrr':
      return new WeightedRoundRobinPolicy();
    case 'lc':
      return new LeastConnectionPolicy((active) => active, false);
    case 'wlc':
      return new LeastConnectionPolicy((active, weight) => active / weight, false);
    case 'sed':
      return new LeastConnectionPolicy((active, weight) => (active + 1) / weight, false);
    case 'nq':
      return new LeastConnectionPolicy((active, weight) => (active + 1) / weight, true);
    case 'sh':
      return new HashPolicy((flow) => flow.clientAddress);
    case 'dh':
      return new HashPolicy((flow) => flow.frontendAddress);
    case 'mh':
      return new MaglevPolicy();
  }
}
