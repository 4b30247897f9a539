import type { Pod } from '@orrery/api';
import type { Clock, Logger } from '@orrery/component';
import { reactingTo, revisionOf } from '@orrery/client';
import type { ActionRecorder } from '@orrery/controller';
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
import { assignedTo, keyOfPod } from '../framework/pod-info.js';
import { isSuccess } from '../framework/status.js';
import type { SchedulerMeters } from '../metrics/scheduler-meters.js';
import type { QueuedPod } from '../queue/queued-pod.js';
import type { SchedulingQueue } from '../queue/scheduling-queue.js';
import { errorFailure, none, toReference } from './attempt.js';
import type { Attempt, Failure } from './attempt.js';
import { BindingCycle } from './binding-cycle.js';
import type { Choice, NodeChooser } from './choose-node.js';
import { FailedAttempts } from './failed-attempts.js';
import type { PodStatusWriter } from './pod-status-writer.js';

export interface SchedulerOptions {
  /** Profiles by scheduler name. */
  readonly profiles: ReadonlyMap<string, Framework>;
  readonly queue: SchedulingQueue;
  readonly cache: SchedulerCache;
  readonly nominator: Nominator;
  readonly chooser: NodeChooser;
  readonly pods: Lister<Pod>;
  readonly status: PodStatusWriter;
  readonly events: (schedulerName: string) => ActionRecorder;
  readonly meters: SchedulerMeters;
  readonly extenders: Extenders;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of so many tries one tells how long each plugin took (k8s schedule_one.go:pluginMetricsSamplePercent). */
const TIMED_EVERY = 10;

/**
 * One pod at a time gets a node; the binding is written while the next pod is already looked at.
 * A try that fails, at whatever point, ends with the pod back in the queue or with the pod gone.
 */
export class Scheduler {
  readonly #failed: FailedAttempts;
  readonly #binding: BindingCycle;
  #tries = 0;
  #deciding: Promise<void> | undefined;
  #told: Explanation | undefined;

  constructor(private readonly options: SchedulerOptions) {
    this.#failed = new FailedAttempts(options);
    this.#binding = new BindingCycle(options, (attempt, failure) => this.#fail(attempt, failure));
  }

  /** Bindings that are being written. */
  get bindings(): number {
    return this.#binding.busy;
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
    const state = new CycleState();
    state.isTimed = this.#tries++ % TIMED_EVERY === 0;
    const attempt = { queued, framework, state, startedAt: clock.monotonic() };
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
    this.options.events(schedulerName).report({
      regarding: toReference(info.pod),
      type: 'Warning',
      reason: 'FailedScheduling',
      action: 'Scheduling',
      note: `skip schedule deleting pod: ${keyOfPod(info)}`,
    });
    return true;
  }

  #decide(attempt: Attempt, signal: AbortSignal): Promise<void> {
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

  #carryOut(attempt: Attempt, choice: Choice, signal: AbortSignal): Promise<void> {
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
    const reserved = framework.binding.reserve(state, assumed, nodeName);
    if (!isSuccess(reserved)) return this.#binding.undo(attempt, nodeName, reserved);
    nominator.remove(info.uid);
    return this.#binding.bind(attempt, assumed, nodeName, signal);
  }

  #refuse(attempt: Attempt, diagnosis: Diagnosis): Promise<void> {
    const { framework, state, queued } = attempt;
    const found = framework.postFilter(state, queued.info, diagnosis);
    if (found instanceof Promise)
      return this.#deferred(attempt, found, (postFilter) =>
        this.#refused(attempt, diagnosis, postFilter),
      );
    return this.#refused(attempt, diagnosis, found);
  }

  #refused(attempt: Attempt, diagnosis: Diagnosis, postFilter: PostFilterResult): Promise<void> {
    const message = describeFailure(diagnosis, postFilter.status.reasons.join(', '));
    const refusedBy = diagnosis.plugins;
    return this.#fail(attempt, { reason: 'Unschedulable', message, refusedBy, postFilter });
  }

  /** A decision that waits for an extender: no other pod is looked at before it is made. */
  async #deferred<T>(
    attempt: Attempt,
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

  #fail(attempt: Attempt, failure: Failure): Promise<void> {
    return this.#failed.end(attempt, failure);
  }
}

const nothing = (): void => undefined;
