import type { PodInfo } from '../framework/pod-info.js';
import { NodeCounts } from './node-counts.js';
import type { NodeInfo } from './node-info.js';

/** Which pods are counted. The same key must always mean the same pods. */
export interface CountedPods {
  readonly key: string;
  /** Only pods of these can match; absent = of any. */
  readonly namespaces?: ReadonlySet<string>;
  readonly matches: (pod: PodInfo) => boolean;
}

interface Registered {
  readonly what: CountedPods;
  readonly counts: NodeCounts;
}

/** Selectors whose counts are kept; the one asked for longest ago goes first. */
const MAX_REGISTERED = 256;

/**
 * Counts of pods by what selectors pick, kept up to date with each pod that comes or goes, so that a cycle need not
 * look at the pods of all nodes.
 */
export class PodCounts {
  readonly #registered = new Map<string, Registered>();

  constructor(private readonly nodes: () => Iterable<NodeInfo>) {}

  of(what: CountedPods): NodeCounts {
    const known = this.#registered.get(what.key);
    if (known) {
      this.#registered.delete(what.key);
      this.#registered.set(what.key, known);
      return known.counts;
    }
    const counts = new NodeCounts();
    for (const node of this.nodes())
      for (const pod of node.pods.values()) if (isCounted(what, pod)) counts.change(node, 1);
    this.#registered.set(what.key, { what, counts });
    const [oldest] = this.#registered.keys();
    if (this.#registered.size > MAX_REGISTERED && oldest !== undefined)
      this.#registered.delete(oldest);
    return counts;
  }

  change(pod: PodInfo, node: NodeInfo, by: 1 | -1): void {
    for (const { what, counts } of this.#registered.values())
      if (isCounted(what, pod)) counts.change(node, by);
  }

  nodesChanged(): void {
    for (const { counts } of this.#registered.values()) counts.nodesChanged();
  }

  /** What matches is to be found anew, e.g. after labels of namespaces changed. */
  clear(): void {
    this.#registered.clear();
  }
}

const isCounted = ({ namespaces, matches }: CountedPods, pod: PodInfo): boolean =>
  (!namespaces || namespaces.has(pod.namespace)) && matches(pod);
