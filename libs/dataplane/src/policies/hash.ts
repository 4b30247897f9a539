import type { Backend } from '../rule-set.js';
import type { Flow, Policy } from './policy.js';

/** FNV-1a, 32 bits. */
export function hash32(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** The same key always gets the same backend, as long as the backends stay the same (IPVS sh, dh). */
export class HashPolicy implements Policy {
  constructor(private readonly key: (flow: Flow) => string) {}

  pick(candidates: readonly Backend[], flow: Flow): Backend {
    return candidates[hash32(this.key(flow)) % candidates.length] as Backend;
  }
}
