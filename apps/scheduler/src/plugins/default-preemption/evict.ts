import { isConflict, isNotFound } from '@orrery/apimachinery';
import { resources } from '@orrery/api';
import type { PodCondition } from '@orrery/api';
import { toTime } from '@orrery/component';
import type { PluginContext } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';
import type { Candidate } from './candidate.js';
import { PREEMPTED } from './eligibility.js';

type Needs = Pick<PluginContext, 'client' | 'clock' | 'events' | 'nominator' | 'schedulerName'>;

const ignoreGone = (error: unknown): void => {
  if (!isNotFound(error) && !isConflict(error)) throw error;
};

async function evictOne(
  victim: PodInfo,
  why: PodInfo,
  nodeName: string,
  needs: Needs,
): Promise<void> {
  if (victim.pod.metadata.deletionTimestamp) return;
  const pods = needs.client.resource(resources.pods);
  const { namespace, name, uid } = victim;
  const condition: PodCondition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: PREEMPTED,
    message: `${needs.schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: toTime(needs.clock.now()),
  };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  await pods
    .patch({ namespace, name }, 'strategic', patch, { subresource: 'status' })
    .catch(ignoreGone);
  await pods.delete({ namespace, name }, { preconditions: { uid } }).catch(ignoreGone);
  needs.events.report({
    regarding: { ...victim.pod, apiVersion: 'v1', kind: 'Pod' },
    related: { ...why.pod, apiVersion: 'v1', kind: 'Pod' },
    type: 'Normal',
    reason: 'Preempted',
    action: 'Preempting',
    note: `Preempted by pod ${why.uid} on node ${nodeName}`,
  });
}

/** Less important pods that were promised the node look elsewhere. */
async function takeBackPromises(pod: PodInfo, nodeName: string, needs: Needs): Promise<void> {
  const pods = needs.client.resource(resources.pods);
  for (const other of needs.nominator.podsOn(nodeName)) {
    if (other.uid === pod.uid || other.priority >= pod.priority) continue;
    needs.nominator.remove(other.uid);
    const { namespace, name, uid } = other;
    const patch = { metadata: { uid }, status: { nominatedNodeName: null } };
    await pods
      .patch({ namespace, name }, 'strategic', patch, { subresource: 'status' })
      .catch(ignoreGone);
  }
}

/** Carries a preemption out: victims are marked and deleted, with their grace periods. */
export async function evict(pod: PodInfo, candidate: Candidate, needs: Needs): Promise<void> {
  const { victims, nodeName } = candidate;
  await Promise.all(victims.map((victim) => evictOne(victim, pod, nodeName, needs)));
  await takeBackPromises(pod, nodeName, needs);
}
