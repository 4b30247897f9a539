import { isNotFound } from '@orrery/apimachinery';
import { resources } from '@orrery/api';
import type { Pod, PodCondition } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';

export interface Refusal {
  readonly reason: 'Unschedulable' | 'SchedulerError' | 'SchedulingGated';
  readonly message: string;
  /** '' takes an earlier nomination back; absent leaves it. */
  readonly nominatedNode?: string;
}

interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

type Conditions = readonly [PodCondition] | readonly [];

/** The condition to write, if it says anything new. */
function newCondition(pod: Pod, { reason, message }: Refusal, now: string): Conditions {
  const old = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  const wasFalse = old?.status === 'False';
  if (wasFalse && old.reason === reason && old.message === message) return [];
  const { generation } = pod.metadata;
  const lastTransitionTime = (wasFalse && old.lastTransitionTime) || now;
  return [
    {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      lastTransitionTime,
      ...(generation ? { observedGeneration: generation } : {}),
    },
  ];
}

/** The strategic merge patch of pods/status; undefined when nothing would change. */
export function statusPatch(pod: Pod, refusal: Refusal, now: string): object | undefined {
  const { nominatedNode } = refusal;
  const conditions = newCondition(pod, refusal, now);
  const nominated =
    nominatedNode !== undefined && nominatedNode !== (pod.status?.nominatedNodeName ?? '');
  if (conditions.length === 0 && !nominated) return undefined;
  return {
    metadata: { uid: pod.metadata.uid },
    status: {
      ...(conditions.length > 0 ? { conditions } : {}),
      ...(nominated ? { nominatedNodeName: nominatedNode === '' ? null : nominatedNode } : {}),
    },
  };
}

/** Tells in a pod's status why it has no node. */
export class PodStatusWriter {
  constructor(
    private readonly client: KubeClient,
    private readonly clock: Clock,
  ) {}

  /** A pod that is gone is no error. */
  async write(pod: Pod, refusal: Refusal): Promise<void> {
    const patch = statusPatch(pod, refusal, toTime(this.clock.now()));
    if (!patch) return;
    const { namespace = '', name = '' } = pod.metadata;
    try {
      await this.client
        .resource(resources.pods)
        .patch({ namespace, name }, 'strategic', patch, { subresource: 'status' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Tells on which node a pod is expected whose binding has to wait. */
  async expect({ namespace, name, uid }: PodName, nodeName: string): Promise<void> {
    const patch = { metadata: { uid }, status: { nominatedNodeName: nodeName } };
    await this.client
      .resource(resources.pods)
      .patch({ namespace, name }, 'strategic', patch, { subresource: 'status' });
  }

  /**
   * Merges annotations into a pod, which may be gone. By way of the status: the role system:kube-scheduler lets the
   * scheduler write nothing else of a pod.
   */
  async annotate({ namespace, name, uid }: PodName, patch: object): Promise<void> {
    const { metadata } = patch as { readonly metadata: object };
    try {
      await this.client
        .resource(resources.pods)
        .patch(
          { namespace, name },
          'strategic',
          { metadata: { ...metadata, uid } },
          { subresource: 'status' },
        );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
