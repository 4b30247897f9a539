import type { Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { Clock, Logger } from '@orrery/component';
import { reactingTo, revisionOf } from '@orrery/client';
import { LeadershipLost } from '@orrery/controller';
import type { EventRecorder } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { SchedulerCache } from '../cache/scheduler-cache.js';
import { CycleState } from '../framework/cycle-state.js';
import { describeFailure } from '../framework/fit-error.js';
import { explain, toAnnotation, wantsExplanation } from '../explain/explain.js';
import type { Explanation } from '../explain/explain.js';
import type { Extenders } from '../extender/extenders.js';
import type { Diagnosis } from '../framework/fit-error.js';
import type { Framework } from '../framework/framework.js';
import type { Nominator } from '../framework/nominator.js';
import type { PostFilterResult } from '../framework/plugin.js';
import type { PodInfo } from '../framework/pod-info.js';
import { assignedTo, keyOfPod, toPodInfo } from '../framework/pod-info.js';
import { isRejected, isSuccess } from '../framework/status.js';
import type { Status } from '../framework/status.js';
import type { QueuedPod } from '../queue/queued-pod.js';
import type { SchedulingQueue } from '../queue/scheduling-queue.js';
import type { Choice, NodeChooser } from './choose-node.js';
import type { PodStatusWriter, Refusal } from './pod-status-writer.js';
import type { SchedulerMeters } from './scheduler-meters.js';
import { Slots } from './slots.js';

export interface SchedulerOptions {
  /** Profiles by scheduler name. */
  readonly profiles: ReadonlyMap<string, Framework>;
  readonly queue: SchedulingQueue;
  readonly cache: SchedulerCache;
  readonly nominator: Nominator;
  readonly chooser: NodeChooser;
  readonly pods: Lister<Pod>;
  readonly status: PodStatusWriter;
  readonly events: (schedulerName: string) => EventRecorder;
  readonly meters: SchedulerMeters;
  readonly extenders: Extenders;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Why a try failed, for the queue and for the user. */
interface Failure {
  readonly reason: Refusal['reason'];
  readonly message: string;
  readonly refusedBy: ReadonlySet<string>;
  readonly postFilter?: PostFilterResult;
  /** '' takes back what was told of the node where the pod was expected. */
  readonly nominatedNode?: string;
}

interface Try {
  readonly queued: QueuedPod;
  readonly framework: Framework;
  readonly state: CycleState;
  readonly startedAt: number;
}

const toReference = (pod: Pod): Pod => ({ ...pod, apiVersion: 'v1', kind: resources.pods.kind });

/** Bindings being written at a time; others wait without keeping a connection. */
const MAX_BINDINGS = 64;

const none: ReadonlySet<string> = new Set();

/**
 * One pod at a time gets a node; the binding is written while the next pod is already looked at.
 * A try that fails, at whatever point, ends with the pod back in the queue or with the pod gone.
 */
export class Scheduler {
  readonly #slots = new Slots(MAX_BINDINGS);
  #deciding: Promise<void> | undefined;
  #told: Explanation | undefined;

  constructor(private readonly options: SchedulerOptions) {}

  /** Bindings that are being written. */
  get bindings(): number {
    return this.#slots.busy;
  }

  /** Set while a decision waits for an extender; the next pod waits for it. */
  get deciding(): Promise<void> | undefined {
    return this.#deciding;
  }

  /**
   * Decides for a pod that the queue gave. The promise resolves when what follows from the decision is written,
   * which the caller need not wait for: the decision itself is made before this returns.
   */
  schedule(queued: QueuedPod, signal: AbortSignal): Promise<void> {
    const { queue, profiles, clock } = this.options;
    const { info } = queued;
    const framework = profiles.get(info.pod.spec.schedulerName ?? '');
    if (!framework || this.#needsNothing(queued)) {
      queue.done(info.uid);
      return Promise.resolve();
    }
    const attempt = { queued, framework, state: new CycleState(), startedAt: clock.monotonic() };
    const revision = Math.max(revisionOf(info.pod) ?? 0, queued.wokenBy ?? 0);
    return reactingTo({ controller: 'scheduler', ...(revision ? { revision } : {}) }, () => {
      try {
        const written = this.#decide(attempt, signal);
        const told = this.#told;
        this.#told = undefined;
        return told ? Promise.all([written, this.#tell(info, told)]).then(nothing) : written;
      } catch (error) {
        return this.#fail(attempt, errorFailure(error));
      }
    });
  }

  /** Writes what was thought of the nodes on the pod itself; a pod that is gone needs it no more. */
  async #tell({ namespace, name, uid }: PodInfo, explanation: Explanation): Promise<void> {
    const { status, logger } = this.options;
    try {
      await status.annotate({ namespace, name, uid }, toAnnotation(explanation));
    } catch (error) {
      logger.warn('explanation not written', { pod: name, error: String(error) });
    }
  }

  #needsNothing({ info }: QueuedPod): boolean {
    const { cache } = this.options;
    if (cache.has(info.uid)) return true;
    if (!info.pod.metadata.deletionTimestamp) return false;
    const { schedulerName = '' } = info.pod.spec;
    this.options
      .events(schedulerName)
      .event(
        toReference(info.pod),
        'Warning',
        'FailedScheduling',
        `skip schedule deleting pod: ${keyOfPod(info)}`,
      );
    return true;
  }

  #decide(attempt: Try, signal: AbortSignal): Promise<void> {
    const { queued, framework, state } = attempt;
    const { info } = queued;
    const { chooser } = this.options;
    const { pod } = info;
    if (wantsExplanation(pod)) this.#told = explain(framework, info, this.options.cache.list());
    const choice = chooser.choose(framework, state, info);
    return choice instanceof Promise
      ? this.#deferred(attempt, choice, (made) => this.#carryOut(attempt, made, signal))
      : this.#carryOut(attempt, choice, signal);
  }

  #carryOut(attempt: Try, choice: Choice, signal: AbortSignal): Promise<void> {
    const { cache, nominator, meters, clock } = this.options;
    const { queued, framework, state, startedAt } = attempt;
    const { info } = queued;
    meters.algorithm((clock.monotonic() - startedAt) / 1000);
    switch (choice.kind) {
      case 'error':
        return this.#fail(attempt, errorFailure(choice.error));
      case 'no-nodes':
        return this.#fail(attempt, {
          reason: 'Unschedulable',
          message: 'no nodes available to schedule pods',
          refusedBy: none,
        });
      case 'refused':
        return this.#refuse(attempt, choice.diagnosis);
      case 'node':
        break;
    }
    const { nodeName } = choice;
    const assumed = assignedTo(info, nodeName);
    cache.assume(assumed, nodeName);
    const reserved = framework.reserve(state, assumed, nodeName);
    if (!isSuccess(reserved)) return this.#undo(attempt, nodeName, reserved);
    nominator.remove(info.uid);
    return this.#bind(attempt, assumed, nodeName, signal);
  }

  #refuse(attempt: Try, diagnosis: Diagnosis): Promise<void> {
    const { framework, state, queued } = attempt;
    const found = framework.postFilter(state, queued.info, diagnosis);
    if (found instanceof Promise)
      return this.#deferred(attempt, found, (postFilter) =>
        this.#refused(attempt, diagnosis, postFilter),
      );
    return this.#refused(attempt, diagnosis, found);
  }

  #refused(attempt: Try, diagnosis: Diagnosis, postFilter: PostFilterResult): Promise<void> {
    const message = describeFailure(diagnosis, postFilter.status.reasons.join(', '));
    const refusedBy = diagnosis.plugins;
    return this.#fail(attempt, { reason: 'Unschedulable', message, refusedBy, postFilter });
  }

  /** A decision that waits for an extender: no other pod is looked at before it is made. */
  async #deferred<T>(
    attempt: Try,
    answer: Promise<T>,
    go: (answer: T) => Promise<void>,
  ): Promise<void> {
    let written: Promise<void> | undefined;
    const decided = answer.then(
      (value) => {
        written = go(value);
      },
      (error: unknown) => {
        written = this.#fail(attempt, errorFailure(error));
      },
    );
    this.#deciding = decided;
    await decided;
    if (this.#deciding === decided) this.#deciding = undefined;
    await written;
  }

  async #bind(
    attempt: Try,
    assumed: PodInfo,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { cache, queue, meters, clock, events } = this.options;
    const { framework, state, queued, startedAt } = attempt;
    const status = await this.#write(attempt, assumed, nodeName, signal).catch(toErrorStatus);
    if (!isSuccess(status)) {
      await this.#undo(attempt, nodeName, status);
      return;
    }
    cache.finishBinding(assumed.uid);
    queue.done(assumed.uid);
    framework.postBind(state, assumed, nodeName);
    const seconds = (clock.monotonic() - startedAt) / 1000;
    meters.attempt('scheduled', framework.schedulerName, seconds);
    meters.bound(queued, (clock.monotonic() - queued.added) / 1000);
    const message = `Successfully assigned ${keyOfPod(assumed)} to ${nodeName}`;
    events(framework.schedulerName).event(toReference(assumed.pod), 'Normal', 'Scheduled', message);
  }

  /** Permit, PreBind, and Bind by an extender that binds such pods or else by the plugins. */
  async #write(
    { framework, state }: Try,
    assumed: PodInfo,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<Status> {
    const { meters, clock } = this.options;
    if (framework.willWait(state, assumed, nodeName)) await this.#expect(assumed, nodeName);
    const ready = await framework.beforeBind(state, assumed, nodeName, signal);
    if (!isSuccess(ready)) return ready;
    const from = clock.monotonic();
    const extender = this.options.extenders.binder(assumed);
    const status = extender
      ? await extender.bind(assumed, nodeName, signal)
      : await this.#slots.run(() => framework.bind(state, assumed, nodeName, signal));
    meters.point('Bind', status, framework.schedulerName, (clock.monotonic() - from) / 1000);
    return status;
  }

  /** For who adds and removes nodes meanwhile; the binding goes on without (k8s schedule_one.go: bindingCycle). */
  async #expect(assumed: PodInfo, nodeName: string): Promise<void> {
    const { status, logger } = this.options;
    try {
      await status.expect(assumed, nodeName);
    } catch (error) {
      logger.warn('expected node not written', { pod: keyOfPod(assumed), error: String(error) });
    }
  }

  /** Gives the place back and reports. */
  async #undo(attempt: Try, nodeName: string, status: Status): Promise<void> {
    const { framework, state, queued } = attempt;
    const { cache, queue, logger } = this.options;
    const undone = framework.unreserve(state, queued.info, nodeName)?.catch((error: unknown) => {
      logger.warn('not given back', { pod: keyOfPod(queued.info), error: String(error) });
    });
    cache.forget(queued.info.uid);
    queue.onEvent({ name: 'AssignedPodDelete', old: queued.info.pod });
    if (undone) await undone;
    const rejected: Failure = {
      reason: 'Unschedulable',
      message: status.reasons.join(', '),
      refusedBy: new Set(status.plugin ? [status.plugin] : []),
    };
    const failure = isRejected(status)
      ? rejected
      : errorFailure(status.error ?? status.reasons.join(', '));
    await this.#fail(attempt, { ...failure, nominatedNode: '' });
  }

  async #fail(attempt: Try, failure: Failure): Promise<void> {
    const { meters, clock, logger, status, nominator, events } = this.options;
    const { queued, framework, startedAt } = attempt;
    const refused = failure.reason === 'Unschedulable';
    const result = refused ? 'unschedulable' : 'error';
    meters.attempt(result, framework.schedulerName, (clock.monotonic() - startedAt) / 1000);
    const nominatedNode = failure.nominatedNode ?? failure.postFilter?.nominatedNode;
    if (nominatedNode) nominator.nominate(queued.info, nominatedNode);
    else if (nominatedNode === '') nominator.remove(queued.info.uid);
    try {
      await this.#carryOutPostFilter(failure.postFilter);
      const current = this.#current(queued);
      if (!current) return;
      const recorder = events(framework.schedulerName);
      recorder.event(toReference(current), 'Warning', 'FailedScheduling', failure.message);
      await status.write(current, { ...failure, nominatedNode });
    } catch (error) {
      if (!(error instanceof LeadershipLost))
        logger.warn('refusal not written', { pod: keyOfPod(queued.info), error: String(error) });
    } finally {
      this.#putBack(queued, failure);
    }
  }

  /** With a node that it made room on, what is written is a preemption. */
  async #carryOutPostFilter({ act, nominatedNode }: Partial<PostFilterResult> = {}): Promise<void> {
    if (!act) return;
    const { meters, clock } = this.options;
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
    const { queue, nominator } = this.options;
    const current = this.#current(queued);
    if (!current) {
      queue.done(queued.info.uid);
      nominator.remove(queued.info.uid);
      const replaced = this.options.pods.get(keyOf(queued));
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
    const pod = this.options.pods.get(keyOf(queued));
    return pod?.metadata.uid === queued.info.uid && !pod.spec.nodeName ? pod : undefined;
  }
}

const nothing = (): void => undefined;

const keyOf = ({ info }: QueuedPod): { namespace: string; name: string } => ({
  namespace: info.namespace,
  name: info.name,
});

const errorFailure = (error: unknown): Failure => ({
  reason: 'SchedulerError',
  message: error instanceof Error ? error.message : String(error),
  refusedBy: none,
});

const toErrorStatus = (error: unknown): Status => ({
  code: 'Error',
  reasons: [String(error)],
  error,
});
