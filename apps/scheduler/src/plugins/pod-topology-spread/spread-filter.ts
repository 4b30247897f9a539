import type { Pod } from '@orrery/api';
import type { NodeInfo } from '../../cache/node-info.js';
import type { NodeInfos } from '../../cache/scheduler-cache.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { success, unresolvable, unschedulable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';
import { countsNode, countsOf, hasAllKeys, isEverywhere, selects } from './spread-constraint.js';
import type { SpreadConstraint } from './spread-constraint.js';

const REFUSED = "node(s) didn't match pod topology spread constraints";

/** Matching pods by domain for one constraint: what the cache counted, and what this cycle changes. */
interface Domains {
  /** Domains that count, with any value. */
  readonly known: ReadonlyMap<string, number>;
  readonly counts: ReadonlyMap<string, number>;
  readonly changes: Map<string, number>;
}

/** Matching pods by domain, for each constraint in turn. */
export class SpreadCounts {
  #least: (number | undefined)[] = [];

  constructor(
    readonly constraints: readonly SpreadConstraint[],
    private readonly domains: readonly Domains[],
  ) {}

  static of(pod: Pod, constraints: readonly SpreadConstraint[], nodes: NodeInfos): SpreadCounts {
    const everywhere = constraints.every((each) => isEverywhere(each, nodes));
    const domains = constraints.map((constraint): Domains => {
      const { topologyKey, honorsAffinity, honorsTaints } = constraint;
      const counts = countsOf(constraint, pod, nodes);
      const changes = new Map<string, number>();
      if (everywhere && !honorsAffinity && !honorsTaints)
        return { known: nodes.domains(topologyKey), counts: counts.in(topologyKey), changes };
      const found = new Map<string, number>();
      for (const node of nodes.list()) {
        if (!hasAllKeys(node, constraints) || !countsNode(constraint, pod, node)) continue;
        const domain = node.labels[topologyKey] ?? '';
        found.set(domain, (found.get(domain) ?? 0) + counts.on(node));
      }
      return { known: found, counts: found, changes };
    });
    return new SpreadCounts(constraints, domains);
  }

  clone(): SpreadCounts {
    const domains = this.domains.map((each) => ({ ...each, changes: new Map(each.changes) }));
    return new SpreadCounts(this.constraints, domains);
  }

  /** `other` comes to (1) or leaves (-1) the node. */
  change(pod: Pod, other: PodInfo, node: NodeInfo, by: 1 | -1): void {
    if (!hasAllKeys(node, this.constraints)) return;
    this.constraints.forEach((constraint, i) => {
      const counted =
        countsNode(constraint, pod, node) && selects(constraint, pod.metadata.namespace, other.pod);
      if (counted) this.#add(i, node, by);
    });
  }

  check(pod: Pod, node: NodeInfo): Status {
    for (const [i, constraint] of this.constraints.entries()) {
      const domain = node.labels[constraint.topologyKey];
      if (domain === undefined) return unresolvable(`${REFUSED} (missing required label)`);
      const own = constraint.selector.matches(pod.metadata.labels) ? 1 : 0;
      const there = this.#countIn(i, domain);
      if (there + own - this.#leastOf(i) > constraint.maxSkew) return unschedulable(REFUSED);
    }
    return success;
  }

  #add(i: number, node: NodeInfo, amount: number): void {
    const domain = node.labels[this.constraints[i]?.topologyKey ?? ''] ?? '';
    const changes = this.domains[i]?.changes;
    changes?.set(domain, (changes.get(domain) ?? 0) + amount);
    this.#least = [];
  }

  #countIn(i: number, domain: string): number {
    const domains = this.domains[i];
    if (!domains) return 0;
    return (domains.counts.get(domain) ?? 0) + (domains.changes.get(domain) ?? 0);
  }

  /** The fewest in any domain; 0 while there are fewer domains than the constraint asks for. */
  #leastOf(i: number): number {
    const known = this.#least[i];
    if (known !== undefined) return known;
    const domains = this.domains[i]?.known;
    const few = (domains?.size ?? 0) < (this.constraints[i]?.minDomains ?? 1);
    let least = Infinity;
    if (!few)
      for (const domain of domains?.keys() ?? []) least = Math.min(least, this.#countIn(i, domain));
    const value = least === Infinity ? 0 : least;
    this.#least[i] = value;
    return value;
  }
}
