import type { NodeInfo } from '../cache/node-info.js';
import type { CycleState } from './cycle-state.js';
import type { WeightedPlugin } from './extension-points.js';
import { scoreBy } from './node-verdicts.js';
import type { NodeVerdicts } from './node-verdicts.js';
import { PluginRun, runsOf } from './plugin-run.js';
import type { Measured } from './plugin-run.js';
import type { Plugin } from './plugin.js';
import type { PodInfo } from './pod-info.js';
import { success } from './status.js';
import type { Status } from './status.js';

/** What one plugin gave, for `orrery explain`. */
export interface PluginScores {
  readonly plugin: string;
  readonly weight: number;
  /** Normalized, before the weight; in the order of the nodes. */
  readonly scores: readonly number[];
}

interface Scorer {
  readonly run: PluginRun;
  readonly normalization: PluginRun;
  readonly weight: number;
  /** Of the scores that NodeVerdicts keeps; -1 = none of them. */
  readonly local: number;
}

/** PreScore, Score and normalization of a profile. */
export class Scoring {
  /** Scorers whose scores are kept by node and template, in the order of NodeVerdicts.scores. */
  readonly localScorers: readonly PluginRun[];
  readonly #preScorers: readonly PluginRun[];
  readonly #scorers: readonly Scorer[];

  constructor(
    preScorers: readonly Plugin[],
    scorers: readonly WeightedPlugin[],
    private readonly measured: Measured,
  ) {
    this.#preScorers = runsOf(preScorers, 'PreScore', measured);
    const all = scorers.map(({ plugin, weight }) => ({
      weight,
      run: new PluginRun(plugin, 'Score', measured),
      normalization: new PluginRun(plugin, 'ScoreExtensionNormalize', measured),
    }));
    this.localScorers = all.map(({ run }) => run).filter(({ plugin }) => plugin.local);
    this.#scorers = all.map((each) => ({ ...each, local: this.localScorers.indexOf(each.run) }));
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
    this.#preScore(state, pod, nodes);
    const { meters, profile } = this.measured;
    const from = meters.now();
    const known: (readonly number[])[] = [];
    for (const node of nodes) known.push(verdicts.scores(state, pod, node));
    const all: PluginScores[] = [];
    for (const { run, normalization, weight, local } of this.#scorers) {
      const { plugin, name } = run;
      if (!plugin.score || state.skipScore.has(name)) continue;
      const scores: number[] = [];
      if (local < 0) for (const node of nodes) scores.push(scoreBy(run, state, pod, node));
      else for (const each of known) scores.push(each[local] ?? 0);
      normalization.run(state, () => plugin.normalize?.(state, pod, scores, nodes));
      all.push({ plugin: name, weight, scores });
    }
    meters.point('Score', 'Success', profile, (meters.now() - from) / 1000);
    return all;
  }

  #preScore(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): void {
    const { meters, profile } = this.measured;
    const from = meters.now();
    const skipped = new Set<string>();
    for (const each of this.#preScorers) {
      each.asked();
      const work = (): Status => each.plugin.preScore?.(state, pod, nodes) ?? success;
      if (each.run(state, work, ({ code }) => code).code === 'Skip') skipped.add(each.name);
    }
    state.skipScore = skipped;
    meters.point('PreScore', 'Success', profile, (meters.now() - from) / 1000);
  }
}
