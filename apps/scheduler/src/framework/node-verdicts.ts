import type { NodeInfo } from '../cache/node-info.js';
import type { CycleState } from './cycle-state.js';
import type { PluginRun } from './plugin-run.js';
import type { PodInfo } from './pod-info.js';
import { by, isSuccess, success } from './status.js';
import type { Status, StatusCode } from './status.js';

export interface LocalPlugins {
  readonly filters: readonly PluginRun[];
  readonly scorers: readonly PluginRun[];
}

const codeOf = ({ code }: Status): StatusCode => code;

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
      for (let i = 0; i < scorers.length; i++) {
        const scorer = scorers[i];
        verdict.scores[i] = scorer ? scoreBy(scorer, state, pod, node) : 0;
      }
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
  filters: readonly PluginRun[],
  state: CycleState,
  pod: PodInfo,
  node: NodeInfo,
): Status {
  for (const run of filters) {
    const { plugin, name } = run;
    if (!plugin.filter || state.skipFilter.has(name)) continue;
    run.asked();
    const status = state.isTimed
      ? run.timed(() => plugin.filter?.(state, pod, node) ?? success, codeOf)
      : plugin.filter(state, pod, node);
    if (!isSuccess(status)) return by(name, status);
  }
  return success;
}

/** Before normalization. */
export function scoreBy(run: PluginRun, state: CycleState, pod: PodInfo, node: NodeInfo): number {
  const { plugin } = run;
  run.asked();
  return state.isTimed
    ? run.timed(() => plugin.score?.(state, pod, node) ?? 0)
    : (plugin.score?.(state, pod, node) ?? 0);
}
