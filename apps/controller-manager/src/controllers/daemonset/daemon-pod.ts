import type { Node, NodeAffinity, Pod, PodSpec, Toleration } from '@orrery/api';
import { nodeMatchesPod } from '@orrery/controller';
import { NOT_READY, UNREACHABLE, untolerated } from '../../nodes/taints.js';

const TOLERATED: readonly Toleration[] = [
  { key: NOT_READY, operator: 'Exists', effect: 'NoExecute' },
  { key: UNREACHABLE, operator: 'Exists', effect: 'NoExecute' },
  ...['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map((name) => ({
    key: `node.kubernetes.io/${name}`,
    operator: 'Exists' as const,
    effect: 'NoSchedule' as const,
  })),
];

const HOST_NETWORK: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
};

const same = (a: Toleration, b: Toleration): boolean => a.key === b.key && a.effect === b.effect;

/** The tolerations that every daemon pod has (k8s pkg/controller/daemon/util: AddOrUpdateDaemonPodTolerations). */
export function daemonTolerations(spec: PodSpec): Toleration[] {
  const added = spec.hostNetwork ? [...TOLERATED, HOST_NETWORK] : TOLERATED;
  const own = (spec.tolerations ?? []).filter((t) => !added.some((a) => same(a, t)));
  return [...own, ...added];
}

/** Ties a new pod to its node by affinity: the scheduler binds it. Mutates. */
export function pinToNode(pod: Pod, nodeName: string): void {
  const spec = pod.spec ?? { containers: [] };
  const nodeAffinity: NodeAffinity = {
    ...spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [
        { matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] },
      ],
    },
  };
  spec.affinity = { ...spec.affinity, nodeAffinity };
  spec.tolerations = daemonTolerations(spec);
}

/** The node that a daemon pod is on, or is meant for. */
export function nodeOf(pod: Pod): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      ?.nodeSelectorTerms ?? [];
  return terms.flatMap((term) => term.matchFields ?? []).find(({ key }) => key === 'metadata.name')
    ?.values?.[0];
}

export interface Fitness {
  /** A new pod may be put there. */
  readonly shouldRun: boolean;
  /** A pod that is there may stay. */
  readonly mayStay: boolean;
}

/** Whether a template's pods belong on a node (k8s pkg/controller/daemon: NodeShouldRunDaemonPod). */
export function fitness(spec: PodSpec, node: Node): Fitness {
  const named = !spec.nodeName || spec.nodeName === node.metadata.name;
  if (!named || !nodeMatchesPod({ spec }, node)) return { shouldRun: false, mayStay: false };
  const taints = node.spec?.taints ?? [];
  const tolerations = daemonTolerations(spec);
  return {
    shouldRun: !untolerated(taints, tolerations, ['NoSchedule', 'NoExecute']),
    mayStay: !untolerated(taints, tolerations, ['NoExecute']),
  };
}
