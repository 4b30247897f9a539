import type { Pod } from '@orrery/api';
import { LeadershipLost } from '@orrery/controller';
import type { PostFilterResult } from '../framework/plugin.js';
import { keyOfPod, toPodInfo } from '../framework/pod-info.js';
import type { QueuedPod } from '../queue/queued-pod.js';
import { toReference } from './attempt.js';
import type { Attempt, Failure } from './attempt.js';
import type { SchedulerOptions } from './scheduler.js';

type Parts = Pick<
  SchedulerOptions,
  'queue' | 'nominator' | 'pods' | 'status' | 'events' | 'meters' | 'clock' | 'logger'
>;

const keyOf = ({ info }: QueuedPod): { namespace: string; name: string } => ({
  namespace: info.namespace,
  name: info.name,
});

/** Ends tries that failed: what they ask for is written, the user is told, and the pod goes back into the queue. */
export class FailedAttempts {
  constructor(private readonly parts: Parts) {}

  async end(attempt: Attempt, failure: Failure): Promise<void> {
    const { meters, clock, logger, status, nominator, events } = this.parts;
    const { queued, framework, startedAt } = attempt;
    const refused = failure.reason === 'Unschedulable';
    const result = refused ? 'unschedulable' : 'error';
    meters.attempt(result, framework.schedulerName, (clock.monotonic() - startedAt) / 1000);
    const nominatedNode = failure.nominatedNode ?? failure.postFilter?.nominatedNode;
    if (nominatedNode) nominator.nominate(queued.info, nominatedNode);
    else if (nominatedNode === '') nominator.remove(queued.info.uid);
    try {
      await this.#carryOut(failure.postFilter);
      const current = this.#current(queued);
      if (!current) return;
      events(framework.schedulerName).report({
        regarding: toReference(current),
        type: 'Warning',
        reason: 'FailedScheduling',
        action: 'Scheduling',
        note: failure.message,
      });
      await status.write(current, { ...failure, nominatedNode });
    } catch (error) {
      if (!(error instanceof LeadershipLost))
        logger.warn('refusal not written', { pod: keyOfPod(queued.info), error: String(error) });
    } finally {
      this.#putBack(queued, failure);
    }
  }

  /** With a node that it made room on, what is written is a preemption. */
  async #carryOut({ act, nominatedNode }: Partial<PostFilterResult> = {}): Promise<void> {
    if (!act) return;
    const { meters, clock } = this.parts;
    const from = clock.monotonic();
    const told = (result: 'success' | 'error'): void => {
      if (nominatedNode) meters.preemption(result, (clock.monotonic() - from) / 1000);
    };
    await act().catch((error: unknown) => {
      told('error');
      throw error;
    });
    told('success');
  }

  #putBack(queued: QueuedPod, { reason, refusedBy }: Failure): void {
    const { queue, nominator, pods } = this.parts;
    const current = this.#current(queued);
    if (!current) {
      queue.done(queued.info.uid);
      nominator.remove(queued.info.uid);
      const replaced = pods.get(keyOf(queued));
      if (replaced && !replaced.spec.nodeName) queue.add(replaced);
      return;
    }
    queued.refusedBy = refusedBy;
    if (reason === 'Unschedulable') {
      queued.refusals += 1;
      queued.errors = 0;
    } else queued.errors += 1;
    queue.putBack(queued, toPodInfo(current));
  }

  /** The pod as the cache has it, while it is the same pod and has no node. */
  #current(queued: QueuedPod): Pod | undefined {
    const pod = this.parts.pods.get(keyOf(queued));
    return pod?.metadata.uid === queued.info.uid && !pod.spec.nodeName ? pod : undefined;
  }
}
