import type { NodeInfo } from '../cache/node-info.js';
import type { CycleState } from './cycle-state.js';
import type { Plugin } from './plugin.js';
import type { PodInfo } from './pod-info.js';
import { by, isSuccess, success } from './status.js';
import type { Status } from './status.js';

export interface LocalPlugins {
  readonly filters: readonly Plugin[];
  readonly scorers: readonly Plugin[];
}

/** What local plugins said of one node, and of which state of it. */
class Verdict {
  status: Status = success;
  generation = -1;
  scored = -1;
  readonly scores: number[] = [];
}

/** What the local plugins say of each node about the pods of one template; asked anew only of nodes that changed. */
export class NodeVerdicts {
  readonly #verdicts = new Map<NodeInfo, Verdict>();

  constructor(private readonly plugins: LocalPlugins) {}

  /** The first refusal, or success. */
  status(state: CycleState, pod: PodInfo, node: NodeInfo): Status {
    const verdict = this.#of(node);
    if (verdict.generation !== node.generation) {
      verdict.generation = node.generation;
      verdict.status = filterBy(this.plugins.filters, state, pod, node);
    }
    return verdict.status;
  }

  /** Scores before normalization, in the order of the scorers. */
  scores(state: CycleState, pod: PodInfo, node: NodeInfo): readonly number[] {
    const verdict = this.#of(node);
    if (verdict.scored !== node.generation) {
      verdict.scored = node.generation;
      const { scorers } = this.plugins;
      for (let i = 0; i < scorers.length; i++)
        verdict.scores[i] = scorers[i]?.score?.(state, pod, node) ?? 0;
    }
    return verdict.scores;
  }

  #of(node: NodeInfo): Verdict {
    let verdict = this.#verdicts.get(node);
    if (!verdict) {
      verdict = new Verdict();
      this.#verdicts.set(node, verdict);
    }
    return verdict;
  }
}

/** The first refusal of the filters that the cycle runs, or success. */
export function filterBy(
  filters: readonly Plugin[],
  state: CycleState,
  pod: PodInfo,
  node: NodeInfo,
): Status {
  for (const plugin of filters) {
    if (!plugin.filter || state.skipFilter.has(plugin.name)) continue;
    const status = plugin.filter(state, pod, node);
    if (!isSuccess(status)) return by(plugin.name, status);
  }
  return success;
}
