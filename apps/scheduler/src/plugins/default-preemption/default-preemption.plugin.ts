import { invalid } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { IsInt, IsOptional, IsString } from 'class-validator';
import type { NodeInfo } from '../../cache/node-info.js';
import { readArgs } from '../../framework/plugin-args.js';
import { describeFailure } from '../../framework/fit-error.js';
import type { Diagnosis } from '../../framework/fit-error.js';
import type { PluginContext, PluginEntry, PostFilterResult } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { success, unresolvable, unschedulable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';
import type { VictimsByNode } from '../../extender/extender.js';
import { byImportance, pickCandidate } from './candidate.js';
import type { Candidate } from './candidate.js';
import { whyNotEligible } from './eligibility.js';
import { evict } from './evict.js';
import { findVictims } from './find-victims.js';
import type { DryRun } from './find-victims.js';

const NAME = 'DefaultPreemption';

class DefaultPreemptionArgs {
  @IsOptional() @IsString() apiVersion?: string;
  @IsOptional() @IsString() kind?: string;
  @IsOptional() @IsInt() minCandidateNodesPercentage: number = 10;
  @IsOptional() @IsInt() minCandidateNodesAbsolute: number = 100;
}

function checkArgs(args: DefaultPreemptionArgs, path: FieldPath): FieldError[] {
  const { minCandidateNodesPercentage: share, minCandidateNodesAbsolute: absolute } = args;
  const [sharePath, absolutePath] = [
    path.child('minCandidateNodesPercentage'),
    path.child('minCandidateNodesAbsolute'),
  ];
  const errors: FieldError[] = [];
  if (share < 0 || share > 100)
    errors.push(invalid(sharePath, share, 'not in valid range [0, 100]'));
  if (absolute < 0) errors.push(invalid(absolutePath, absolute, 'not in valid range [0, inf)'));
  if (share === 0 && absolute === 0)
    errors.push(
      invalid(sharePath, share, 'cannot be zero at the same time as minCandidateNodesAbsolute'),
      invalid(
        absolutePath,
        absolute,
        'cannot be zero at the same time as minCandidateNodesPercentage',
      ),
    );
  return errors;
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

/** k8s default_preemption.go:calculateNumCandidates. */
function enoughCandidates(nodes: number, settings: DefaultPreemptionArgs): number {
  const share = Math.floor((nodes * settings.minCandidateNodesPercentage) / 100);
  return Math.min(nodes, Math.max(share, settings.minCandidateNodesAbsolute));
}

const byNode = (candidates: readonly Candidate[]): VictimsByNode =>
  new Map(candidates.map((each) => [each.nodeName, each]));

const toCandidates = (byName: VictimsByNode): Candidate[] =>
  [...byName].map(([nodeName, { victims, violations }]) => ({
    nodeName,
    victims: [...victims].sort(byImportance),
    violations,
  }));

function conclude(
  context: PluginContext,
  pod: PodInfo,
  { allNodes }: Diagnosis,
  { candidates, statuses }: Found,
): PostFilterResult {
  const best = pickCandidate(candidates);
  if (best)
    return {
      status: success,
      nominatedNode: best.nodeName,
      act: () => {
        context.preempted(best.victims.length);
        return evict(pod, best, context);
      },
    };
  const absent = unresolvable('Preemption is not helpful for scheduling');
  const message = describeFailure({ allNodes, statuses, absent, plugins: new Set() });
  return refuse(message, { nominatedNode: '' });
}

/** Makes room for a pod by evicting less important ones. */
export const defaultPreemption: PluginEntry = {
  name: NAME,
  create(context, args) {
    const settings = readArgs(DefaultPreemptionArgs, args, checkArgs);
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
        context.attempted();
        const why = whyNotEligible(pod, promisedNode(pod, diagnosis));
        if (why !== undefined) return refuse(why);
        const budgets = context.listers.budgets.list();
        const run = { filters: context.filters(), state, pod, budgets };
        const nodes = openableNodes(context, diagnosis);
        const found = findCandidates(nodes, run, enoughCandidates(nodes.length, settings));
        const { extenders } = context;
        if (found.candidates.length === 0 || !extenders.judgePreemption(pod))
          return conclude(context, pod, diagnosis, found);
        return extenders
          .preempt(pod, byNode(found.candidates))
          .then((left) =>
            conclude(context, pod, diagnosis, { ...found, candidates: toCandidates(left) }),
          );
      },
    };
  },
};
