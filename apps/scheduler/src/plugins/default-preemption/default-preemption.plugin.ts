import { validateConfig } from '@orrery/component';
import { IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import type { NodeInfo } from '../../cache/node-info.js';
import { describeFailure } from '../../framework/fit-error.js';
import type { Diagnosis } from '../../framework/fit-error.js';
import type { PluginContext, PluginEntry, PostFilterResult } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { success, unresolvable, unschedulable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';
import { pickCandidate } from './candidate.js';
import type { Candidate } from './candidate.js';
import { whyNotEligible } from './eligibility.js';
import { evict } from './evict.js';
import { findVictims } from './find-victims.js';
import type { DryRun } from './find-victims.js';

const NAME = 'DefaultPreemption';

class DefaultPreemptionArgs {
  @IsOptional() @IsString() apiVersion?: string;
  @IsOptional() @IsString() kind?: string;
  @IsOptional() @IsInt() @Min(0) @Max(100) minCandidateNodesPercentage: number = 10;
  @IsOptional() @IsInt() @Min(0) minCandidateNodesAbsolute: number = 100;
}

/** Nodes that eviction may open, beginning anywhere so that all get their turn. */
function openableNodes(context: PluginContext, { statuses, absent }: Diagnosis): NodeInfo[] {
  const nodes = context.nodes.list().filter((node) => {
    const status = statuses.get(node.name) ?? absent;
    return status?.code === 'Unschedulable';
  });
  const from = Math.floor(context.random.next() * nodes.length);
  return [...nodes.slice(from), ...nodes.slice(0, from)];
}

interface Found {
  readonly candidates: readonly Candidate[];
  readonly statuses: ReadonlyMap<string, Status>;
}

/** Stops once there are enough candidates, one of which breaks no budget. */
function findCandidates(nodes: readonly NodeInfo[], run: DryRun, enough: number): Found {
  const candidates: Candidate[] = [];
  const statuses = new Map<string, Status>();
  for (const node of nodes) {
    const found = findVictims(node, run);
    if ('code' in found) statuses.set(node.name, found);
    else candidates.push(found);
    if (candidates.length >= enough && candidates.some(({ violations }) => violations === 0)) break;
  }
  return { candidates, statuses };
}

const refuse = (message: string, more: Partial<PostFilterResult> = {}): PostFilterResult => ({
  ...more,
  status: unschedulable(`preemption: ${message}`),
});

/** Makes room for a pod by evicting less important ones. */
export const defaultPreemption: PluginEntry = {
  name: NAME,
  create(context, args) {
    const settings = validateConfig(DefaultPreemptionArgs, args ?? {}, 'DefaultPreemptionArgs');
    const promisedNode = (pod: PodInfo, { statuses }: Diagnosis): NodeInfo | undefined => {
      const name = context.nominator.nodeOf(pod.uid);
      if (name === undefined) return undefined;
      const hopeless = statuses.get(name)?.code === 'UnschedulableAndUnresolvable';
      return hopeless ? undefined : context.nodes.get(name);
    };
    return {
      name: NAME,
      events: [{ on: ['AssignedPodDelete'] }],
      postFilter(state, pod, diagnosis) {
        const why = whyNotEligible(pod, promisedNode(pod, diagnosis));
        if (why !== undefined) return refuse(why);
        const all = diagnosis.allNodes;
        const run = {
          filters: context.filters(),
          state,
          pod,
          budgets: context.listers.budgets.list(),
        };
        const { minCandidateNodesAbsolute, minCandidateNodesPercentage } = settings;
        const share = Math.floor((all * minCandidateNodesPercentage) / 100);
        const enough = Math.max(1, minCandidateNodesAbsolute, share);
        const { candidates, statuses } = findCandidates(
          openableNodes(context, diagnosis),
          run,
          enough,
        );
        const best = pickCandidate(candidates);
        if (!best) {
          const absent = unresolvable('Preemption is not helpful for scheduling');
          const plugins = new Set<string>();
          const message = describeFailure({ allNodes: all, statuses, absent, plugins });
          return refuse(message, { nominatedNode: '' });
        }
        return {
          status: success,
          nominatedNode: best.nodeName,
          act: () => {
            context.preempted(best.victims.length);
            return evict(pod, best, context);
          },
        };
      },
    };
  },
};
