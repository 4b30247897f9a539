import { backendKey } from '../rule-set.js';
import type { Backend } from '../rule-set.js';
import { hash32 } from './hash.js';
import type { Flow, Policy } from './policy.js';

/** A prime well above the number of backends (the kernel's default table has 4093 entries). */
const TABLE_SIZE = 4093;
const SECOND_SEED = 0x9747b28c;

/** Fills Maglev's table: every backend takes its next preferred free place in turn (Eisenbud et al., NSDI 2016, section 3.4). */
function fill(backends: readonly Backend[]): Uint16Array {
  const table = new Uint16Array(TABLE_SIZE).fill(0xffff);
  const cursors = backends.map((backend) => {
    const key = backendKey(backend);
    return {
      at: hash32(key) % TABLE_SIZE,
      skip: (hash32(key, SECOND_SEED) % (TABLE_SIZE - 1)) + 1,
    };
  });
  for (let filled = 0; filled < TABLE_SIZE;)
    for (let i = 0; i < cursors.length && filled < TABLE_SIZE; i++) {
      const cursor = cursors[i] as { at: number; skip: number };
      while (table[cursor.at] !== 0xffff) cursor.at = (cursor.at + cursor.skip) % TABLE_SIZE;
      table[cursor.at] = i;
      filled += 1;
    }
  return table;
}

/**
 * Consistent hashing of the source's address and port: a change of backends moves few connections (IPVS mh with mh-port,
 * which kube-proxy always sets; k8s pkg/proxy/ipvs/proxier.go, FlagSourceHash).
 */
export class MaglevPolicy implements Policy {
  private known: readonly Backend[] | undefined;
  private signature = '';
  private table: Uint16Array = new Uint16Array(0);

  pick(candidates: readonly Backend[], flow: Flow): Backend {
    if (candidates !== this.known) this.prepare(candidates);
    const at = this.table[hash32(`${flow.clientAddress}:${flow.clientPort}`) % TABLE_SIZE] ?? 0;
    return candidates[at] as Backend;
  }

  private prepare(candidates: readonly Backend[]): void {
    this.known = candidates;
    const signature = candidates.map(backendKey).join(' ');
    if (signature === this.signature) return;
    this.table = fill(candidates);
    this.signature = signature;
  }
}
