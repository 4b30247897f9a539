import { keyOfPod } from '../framework/pod-info.js';
import type { PodInfo } from '../framework/pod-info.js';
import { failed, isRejected, isSuccess } from '../framework/status.js';
import type { Status } from '../framework/status.js';
import { errorFailure, toReference } from './attempt.js';
import type { Attempt, Failure } from './attempt.js';
import type { SchedulerOptions } from './scheduler.js';
import { Slots } from './slots.js';

/** Bindings being written at a time; others wait without keeping a connection. */
const MAX_BINDINGS = 64;

type Parts = Pick<
  SchedulerOptions,
  'cache' | 'queue' | 'status' | 'events' | 'meters' | 'clock' | 'logger' | 'extenders'
>;

/** Writes decisions: Permit, PreBind, Bind and PostBind, and what gives a place back when one of them fails. */
export class BindingCycle {
  readonly #slots = new Slots(MAX_BINDINGS);

  constructor(
    private readonly parts: Parts,
    private readonly report: (attempt: Attempt, failure: Failure) => Promise<void>,
  ) {}

  /** Bindings that are being written. */
  get busy(): number {
    return this.#slots.busy;
  }

  async bind(
    attempt: Attempt,
    assumed: PodInfo,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { cache, queue, meters, clock, events } = this.parts;
    const { framework, state, queued, startedAt } = attempt;
    const status = await this.#write(attempt, assumed, nodeName, signal).catch(failed);
    if (!isSuccess(status)) {
      await this.undo(attempt, nodeName, status);
      return;
    }
    cache.finishBinding(assumed.uid);
    queue.done(assumed.uid);
    framework.binding.postBind(state, assumed, nodeName);
    const seconds = (clock.monotonic() - startedAt) / 1000;
    meters.attempt('scheduled', framework.schedulerName, seconds);
    meters.bound(queued, (clock.monotonic() - queued.added) / 1000);
    events(framework.schedulerName).report({
      regarding: toReference(assumed.pod),
      type: 'Normal',
      reason: 'Scheduled',
      action: 'Binding',
      note: `Successfully assigned ${keyOfPod(assumed)} to ${nodeName}`,
    });
  }

  /** Permit, PreBind, and Bind by an extender that binds such pods or else by the plugins. */
  async #write(
    { framework, state }: Attempt,
    assumed: PodInfo,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<Status> {
    const { binding } = framework;
    if (binding.willWait(state, assumed, nodeName)) await this.#expect(assumed, nodeName);
    const ready = await binding.beforeBind(state, assumed, nodeName, signal);
    if (!isSuccess(ready)) return ready;
    const extender = this.parts.extenders.binder(assumed);
    return extender
      ? extender.bind(assumed, nodeName, signal)
      : this.#slots.run(() => binding.bind(state, assumed, nodeName, signal));
  }

  /** For who adds and removes nodes meanwhile; the binding goes on without (k8s schedule_one.go: bindingCycle). */
  async #expect(assumed: PodInfo, nodeName: string): Promise<void> {
    const { status, logger } = this.parts;
    try {
      await status.expect(assumed, nodeName);
    } catch (error) {
      logger.warn('expected node not written', { pod: keyOfPod(assumed), error: String(error) });
    }
  }

  /** Gives the place back and reports. */
  async undo(attempt: Attempt, nodeName: string, status: Status): Promise<void> {
    const { framework, state, queued } = attempt;
    const { cache, queue, logger } = this.parts;
    const { binding } = framework;
    const undone = binding.unreserve(state, queued.info, nodeName)?.catch((error: unknown) => {
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
    await this.report(attempt, { ...failure, nominatedNode: '' });
  }
}
