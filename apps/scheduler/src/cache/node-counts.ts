import type { NodeInfo } from './node-info.js';

const none: ReadonlyMap<string, number> = new Map();

/** How many pods of one kind are on each node, and, once asked for, in each domain of a topology. */
export class NodeCounts {
  readonly #nodes = new Map<NodeInfo, number>();
  readonly #topologies = new Map<string, Map<string, number>>();
  #total = 0;

  /** Of all nodes that there are. */
  get total(): number {
    return this.#total;
  }

  on(node: NodeInfo): number {
    return this.#nodes.get(node) ?? 0;
  }

  change(node: NodeInfo, by: 1 | -1): void {
    const count = (this.#nodes.get(node) ?? 0) + by;
    if (count === 0) this.#nodes.delete(node);
    else this.#nodes.set(node, count);
    this.#total += by;
    for (const [key, domains] of this.#topologies) add(domains, node.labels[key], by);
  }

  /** By domain; domains without such pods are left out. Valid until the next change. */
  in(topologyKey: string): ReadonlyMap<string, number> {
    if (this.#total === 0) return none;
    let domains = this.#topologies.get(topologyKey);
    if (!domains) {
      domains = new Map();
      for (const [node, count] of this.#nodes) add(domains, node.labels[topologyKey], count);
      this.#topologies.set(topologyKey, domains);
    }
    return domains;
  }

  /** To be called when nodes come, go or get other labels. */
  nodesChanged(): void {
    this.#topologies.clear();
  }
}

function add(domains: Map<string, number>, domain: string | undefined, by: number): void {
  if (domain === undefined) return;
  const sum = (domains.get(domain) ?? 0) + by;
  if (sum === 0) domains.delete(domain);
  else domains.set(domain, sum);
}
