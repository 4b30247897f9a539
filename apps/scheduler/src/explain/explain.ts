import type { NodeInfo } from '../cache/node-info.js';
import { CycleState } from '../framework/cycle-state.js';
import type { Framework } from '../framework/framework.js';
import type { Pod } from '@orrery/api';
import { toPodInfo } from '../framework/pod-info.js';
import type { PodInfo } from '../framework/pod-info.js';
import { isSuccess, success } from '../framework/status.js';

/** What one plugin says of one node. */
export interface PluginVerdict {
  readonly plugin: string;
  /** '' = lets the pod through. */
  readonly refusal: string;
  /** Weighted; absent for plugins that do not score, and for nodes that are refused. */
  readonly score?: number;
}

export interface NodeExplanation {
  readonly node: string;
  readonly feasible: boolean;
  /** Absent for nodes that are refused. */
  readonly total?: number;
  readonly plugins: readonly PluginVerdict[];
}

export interface Explanation {
  readonly scheduler: string;
  /** Why no node is looked at. */
  readonly refused?: string;
  readonly nodes: readonly NodeExplanation[];
}

/** Every filter's own verdict: unlike a cycle, a refused node is shown to the later filters too. */
function refusalsOf(
  framework: Framework,
  state: CycleState,
  pod: PodInfo,
  node: NodeInfo,
): Map<string, string> {
  const verdicts = new Map<string, string>();
  for (const plugin of framework.at('filter')) {
    const skipped = state.skipFilter.has(plugin.name);
    const status = skipped ? success : (plugin.filter?.(state, pod, node) ?? success);
    verdicts.set(plugin.name, isSuccess(status) ? '' : status.reasons.join(', '));
  }
  return verdicts;
}

/** Each plugin's verdict and score per node, as the pod would be judged now. Decides nothing and changes nothing. */
export function explain(
  framework: Framework,
  pod: PodInfo,
  nodes: readonly NodeInfo[],
): Explanation {
  const state = new CycleState();
  const { schedulerName: scheduler } = framework;
  const { status, nodeNames, narrowedBy } = framework.preFilter(state, pod);
  if (!isSuccess(status))
    return {
      scheduler,
      refused: `${status.plugin ?? ''}: ${status.reasons.join(', ')}`,
      nodes: [],
    };
  const refusals = nodes.map((node) => {
    const own = refusalsOf(framework, state, pod, node);
    if (nodeNames && !nodeNames.has(node.name))
      for (const plugin of narrowedBy) own.set(plugin, 'the pod names other nodes');
    return own;
  });
  const isOpen = (i: number): boolean => [...(refusals[i]?.values() ?? [])].every((r) => r === '');
  const feasible = nodes.filter((_, i) => isOpen(i));
  const scores = framework.scoring.byPlugin(state, pod, feasible, framework.verdictsFor(pod));
  const scoresOf = (node: NodeInfo): Map<string, number> => {
    const at = feasible.indexOf(node);
    return new Map(
      at < 0 ? [] : scores.map((each) => [each.plugin, (each.scores[at] ?? 0) * each.weight]),
    );
  };
  const explained = nodes.map((node, i): NodeExplanation => {
    const own = scoresOf(node);
    const names = new Set([...(refusals[i]?.keys() ?? []), ...own.keys()]);
    const plugins = [...names].map((plugin): PluginVerdict => {
      const score = own.get(plugin);
      const refusal = refusals[i]?.get(plugin) ?? '';
      return { plugin, refusal, ...(score === undefined ? {} : { score }) };
    });
    const total = [...own.values()].reduce((sum, score) => sum + score, 0);
    return {
      node: node.name,
      feasible: isOpen(i),
      plugins,
      ...(isOpen(i) ? { total } : {}),
    };
  });
  return { scheduler, nodes: explained.sort((a, b) => (b.total ?? -1) - (a.total ?? -1)) };
}

/** The pod as it was before it was placed. */
export function withoutNode(pod: Pod): PodInfo {
  const { nodeName: _, ...spec } = pod.spec;
  return toPodInfo({ ...pod, spec });
}

/** Set to "true" on a pod, the scheduler writes what it thought of the nodes into EXPLANATION. */
export const EXPLAIN = 'orrery.dev/explain-scheduling';
export const EXPLANATION = 'orrery.dev/scheduling';

/** Nodes of which an annotation tells: it may hold no more than 256 KiB. */
const MAX_TOLD = 50;

export const wantsExplanation = ({ metadata }: Pod): boolean =>
  metadata.annotations?.[EXPLAIN] === 'true';

/** The patch that tells on the pod itself. */
export const toAnnotation = (explanation: Explanation): object => ({
  metadata: {
    annotations: {
      [EXPLANATION]: JSON.stringify({
        ...explanation,
        nodes: explanation.nodes.slice(0, MAX_TOLD),
      }),
    },
  },
});
