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
  /** One pod's scores by node: written anew for each, so that a cycle makes no arrays of its own. */
  readonly scores: number[];
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
  readonly #totals: number[] = [];

  constructor(
    preScorers: readonly Plugin[],
    scorers: readonly WeightedPlugin[],
    private readonly measured: Measured,
  ) {
    this.#preScorers = runsOf(preScorers, 'PreScore', measured);
    const all = scorers.map(({ plugin, weight }) => ({
      weight,
      scores: [],
      run: new PluginRun(plugin, 'Score', measured),
      normalization: new PluginRun(plugin, 'ScoreExtensionNormalize', measured),
    }));
    this.localScorers = all.map(({ run }) => run).filter(({ plugin }) => plugin.local);
    this.#scorers = all.map((each) => ({ ...each, local: this.localScorers.indexOf(each.run) }));
  }

  /** The weighted sums, in the order of `nodes`; valid until the next pod is scored. */
  totals(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    verdicts: NodeVerdicts,
  ): number[] {
    const totals = this.#totals;
    totals.length = nodes.length;
    totals.fill(0);
    for (const { scores, weight } of this.#score(state, pod, nodes, verdicts))
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
    return this.#score(state, pod, nodes, verdicts).map(({ run, weight, scores }) => ({
      plugin: run.name,
      weight,
      scores: [...scores],
    }));
  }

  /** Those that do not skip, with their normalized scores. */
  #score(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    verdicts: NodeVerdicts,
  ): readonly Scorer[] {
    this.#preScore(state, pod, nodes);
    const { meters, profile } = this.measured;
    const from = meters.now();
    const asked = this.#scorers.filter(
      ({ run: { plugin, name } }) => plugin.score && !state.skipScore.has(name),
    );
    for (const { scores } of asked) scores.length = nodes.length;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i];
      if (!node) continue;
      const known = verdicts.scores(state, pod, node);
      for (const { run, local, scores } of asked)
        scores[i] = local < 0 ? scoreBy(run, state, pod, node) : (known[local] ?? 0);
    }
    for (const { run, normalization, scores } of asked)
      normalization.run(state, () => run.plugin.normalize?.(state, pod, scores, nodes));
    meters.point('Score', 'Success', profile, (meters.now() - from) / 1000);
    return asked;
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
