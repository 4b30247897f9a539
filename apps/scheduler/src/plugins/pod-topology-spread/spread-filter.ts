import type { Pod } from '@orrery/api';
import type { NodeInfo } from '../../cache/node-info.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { success, unresolvable, unschedulable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';
import { countSelected, countsNode, hasAllKeys, selects } from './spread-constraint.js';
import type { SpreadConstraint } from './spread-constraint.js';

const REFUSED = "node(s) didn't match pod topology spread constraints";

/** Matching pods by domain, for each constraint in turn. */
export class SpreadCounts {
  #least: (number | undefined)[] = [];

  constructor(
    readonly constraints: readonly SpreadConstraint[],
    private readonly domains: readonly Map<string, number>[],
  ) {}

  static of(
    pod: Pod,
    constraints: readonly SpreadConstraint[],
    nodes: readonly NodeInfo[],
  ): SpreadCounts {
    const counts = new SpreadCounts(
      constraints,
      constraints.map(() => new Map<string, number>()),
    );
    for (const node of nodes) {
      if (!hasAllKeys(node, constraints)) continue;
      constraints.forEach((constraint, i) => {
        if (!countsNode(constraint, pod, node)) return;
        counts.#add(i, node, countSelected(constraint, pod.metadata.namespace, node));
      });
    }
    return counts;
  }

  clone(): SpreadCounts {
    const domains = this.domains.map((each) => new Map(each));
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
      const there = this.domains[i]?.get(domain) ?? 0;
      if (there + own - this.#leastOf(i) > constraint.maxSkew) return unschedulable(REFUSED);
    }
    return success;
  }

  #add(i: number, node: NodeInfo, amount: number): void {
    const domain = node.labels[this.constraints[i]?.topologyKey ?? ''] ?? '';
    const counts = this.domains[i];
    counts?.set(domain, (counts.get(domain) ?? 0) + amount);
    this.#least = [];
  }

  /** The fewest in any domain; 0 while there are fewer domains than the constraint asks for. */
  #leastOf(i: number): number {
    const known = this.#least[i];
    if (known !== undefined) return known;
    const counts = this.domains[i] ?? new Map<string, number>();
    const few = counts.size < (this.constraints[i]?.minDomains ?? 1);
    let least = Infinity;
    for (const count of counts.values()) least = Math.min(least, count);
    const value = few || least === Infinity ? 0 : least;
    this.#least[i] = value;
    return value;
  }
}
