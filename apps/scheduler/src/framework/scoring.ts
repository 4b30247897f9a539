import type { NodeInfo } from '../cache/node-info.js';
import type { CycleState } from './cycle-state.js';
import type { WeightedPlugin } from './extension-points.js';
import type { NodeVerdicts } from './node-verdicts.js';
import type { Plugin } from './plugin.js';
import type { PodInfo } from './pod-info.js';

/** What one plugin gave, for `orrery explain`. */
export interface PluginScores {
  readonly plugin: string;
  readonly weight: number;
  /** Normalized, before the weight; in the order of the nodes. */
  readonly scores: readonly number[];
}

/** PreScore, Score and normalization of a profile. */
export class Scoring {
  /** Scorers whose scores are kept by node and template, in the order of NodeVerdicts.scores. */
  readonly localScorers: readonly Plugin[];

  constructor(
    private readonly preScorers: readonly Plugin[],
    private readonly scorers: readonly WeightedPlugin[],
  ) {
    this.localScorers = scorers.map(({ plugin }) => plugin).filter(({ local }) => local);
  }

  /** The weighted sums, in the order of `nodes`. */
  totals(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    verdicts: NodeVerdicts,
  ): number[] {
    const totals = Array.from({ length: nodes.length }, () => 0);
    for (const { scores, weight } of this.byPlugin(state, pod, nodes, verdicts))
      for (let i = 0; i < totals.length; i++)
        totals[i] = (totals[i] ?? 0) + (scores[i] ?? 0) * weight;
    return totals;
  }

  /** What each plugin that does not skip gives each node. */
  byPlugin(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    verdicts: NodeVerdicts,
  ): PluginScores[] {
    const skipped = new Set<string>();
    for (const plugin of this.preScorers)
      if (plugin.preScore?.(state, pod, nodes).code === 'Skip') skipped.add(plugin.name);
    state.skipScore = skipped;
    const known: (readonly number[])[] = [];
    for (const node of nodes) known.push(verdicts.scores(state, pod, node));
    const all: PluginScores[] = [];
    for (const { plugin, weight } of this.scorers) {
      if (!plugin.score || skipped.has(plugin.name)) continue;
      const local = this.localScorers.indexOf(plugin);
      const scores: number[] = [];
      if (local < 0) for (const node of nodes) scores.push(plugin.score(state, pod, node));
      else for (const each of known) scores.push(each[local] ?? 0);
      plugin.normalize?.(state, pod, scores, nodes);
      all.push({ plugin: plugin.name, weight, scores });
    }
    return all;
  }
}
