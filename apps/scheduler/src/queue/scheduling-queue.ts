import type { Pod } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { eventRevision } from '../framework/cluster-event.js';
import type { ClusterEvent } from '../framework/cluster-event.js';
import { keyOfPod, toPodInfo } from '../framework/pod-info.js';
import type { PodInfo } from '../framework/pod-info.js';
import type { BackoffOptions } from './backoff.js';
import { readyAt } from './backoff.js';
import { Heap } from './heap.js';
import { InFlight } from './in-flight.js';
import { newQueuedPod } from './queued-pod.js';
import type { QueuedPod } from './queued-pod.js';

/** What the queue asks the profiles. */
export interface QueuePolicy {
  less(a: QueuedPod, b: QueuedPod): boolean;
  /** True when a PreEnqueue plugin holds the pod back. */
  gated(pod: Pod): boolean;
  /** True when the event may end that. */
  mayRelease(pod: Pod, event: ClusterEvent): boolean;
  /** True when the event may make a pod fit that these plugins refused. */
  helps(pod: QueuedPod, event: ClusterEvent): boolean;
}

export interface SchedulingQueueOptions {
  readonly clock: Clock;
  readonly policy: QueuePolicy;
  readonly backoff: BackoffOptions;
  /** After which a refused pod is tried again although nothing happened. */
  readonly maxUnschedulableMs: number;
  /** A pod came to a queue, because of an event in upstream's words. */
  readonly onMove?: (queue: 'active' | 'backoff' | 'unschedulable', event: string) => void;
  /** Told how long the queue took over an event. */
  readonly onHandled?: (event: string, seconds: number) => void;
}

export interface QueueSizes {
  readonly active: number;
  readonly backoff: number;
  readonly unschedulable: number;
  readonly gated: number;
}

/** Upstream's name for a try that found no node. */
const FAILED = 'ScheduleAttemptFailure';

const key = (pod: QueuedPod): string => keyOfPod(pod.info);

/** Everything of a pod that may change where it fits. */
const matters = (pod: Pod): string =>
  JSON.stringify([
    pod.spec,
    pod.metadata.labels,
    pod.metadata.deletionTimestamp,
    pod.status?.resourceClaimStatuses,
  ]);

/**
 * Pods without a node.
 *
 *        add                     pop                        refused
 *   ───────────> active ──────────────────> in flight ──────────────────> unschedulable
 *                  ^                            │ refused, but an event came meanwhile │
 *                  │ backoff over,              v                                      │
 *                  └─ or nothing active ─── backoff <── an event helps, or 5 minutes ──┘
 *
 * A pod is in one set at a time. Gated pods wait in unschedulable until they, or what they wait for, are changed.
 */
export class SchedulingQueue {
  readonly #active: Heap<QueuedPod>;
  readonly #backoff: Heap<QueuedPod>;
  readonly #unschedulable = new Map<string, QueuedPod>();
  readonly #inFlight = new InFlight();
  #waiter: (() => void) | undefined;

  constructor(private readonly options: SchedulingQueueOptions) {
    const ready = (pod: QueuedPod): number => readyAt(pod, options.backoff);
    this.#active = new Heap(key, (a, b) => options.policy.less(a, b));
    this.#backoff = new Heap(key, (a, b) => ready(a) < ready(b));
  }

  get sizes(): QueueSizes {
    const waiting = [...this.#unschedulable.values()];
    const gated = waiting.filter((pod) => pod.gated).length;
    return {
      active: this.#active.size,
      backoff: this.#backoff.size,
      unschedulable: waiting.length - gated,
      gated,
    };
  }

  /** A pod that is new, or that is known and goes to the front of things again. */
  add(pod: Pod): void {
    const info = toPodInfo(pod);
    if (this.#inFlight.has(info.uid)) return;
    const known = this.#take(keyOfPod(info));
    const queued = known ?? newQueuedPod(info, this.#now);
    queued.info = info;
    queued.since = this.#now;
    this.#activate(queued, 'PodAdd');
  }

  /** A changed pod: one that was refused or held back is tried again when the change may matter. */
  update(pod: Pod, old: Pod): void {
    const info = toPodInfo(pod);
    const name = keyOfPod(info);
    const waiting = this.#active.get(name) ?? this.#backoff.get(name);
    if (waiting) {
      waiting.info = info;
      if (this.#active.has(name)) this.#active.push(waiting);
      return;
    }
    const refused = this.#unschedulable.get(name);
    if (!refused) {
      if (this.#inFlight.has(info.uid)) this.#inFlight.record({ name: 'PodUpdate', old, new: pod });
      else this.add(pod);
      return;
    }
    refused.info = info;
    if (matters(pod) === matters(old)) return;
    this.#unschedulable.delete(name);
    this.#release(refused, 'PodUpdate');
  }

  delete(info: { readonly namespace: string; readonly name: string }): void {
    this.#take(`${info.namespace}/${info.name}`);
  }

  /** The next pod, which is in flight until `done`; undefined when the signal aborts. */
  async pop(signal: AbortSignal): Promise<QueuedPod | undefined> {
    while (!signal.aborted) {
      const pod = this.#next();
      if (pod) {
        pod.attempts += 1;
        this.#inFlight.take(pod.info.uid);
        return pod;
      }
      await this.#wait(signal);
    }
    return undefined;
  }

  /** The pod has a node, or is gone. */
  done(uid: string): void {
    this.#inFlight.done(uid);
  }

  /** Back from a try that failed. `info` is the pod as it is now. */
  putBack(queued: QueuedPod, info: PodInfo): void {
    const events = this.#inFlight.eventsSince(queued.info.uid);
    this.#inFlight.done(queued.info.uid);
    queued.info = info;
    queued.since = this.#now;
    if (queued.errors > 0) this.#delay(queued, FAILED);
    else if (events.some((event) => this.#helps(queued, event))) this.#release(queued, FAILED);
    else {
      this.#unschedulable.set(key(queued), queued);
      this.options.onMove?.('unschedulable', FAILED);
    }
  }

  /** Tells the queue what happened; pods that it may help leave the unschedulable set. */
  onEvent(event: ClusterEvent): void {
    const from = this.#now;
    this.#wake(event);
    this.options.onHandled?.(event.name, (this.#now - from) / 1000);
  }

  /** Events that are kept for pods in flight, by name. */
  get keptEvents(): ReadonlyMap<string, number> {
    return this.#inFlight.counts();
  }

  /** Pods that wait after a refusal. */
  *refused(): IterableIterator<QueuedPod> {
    for (const waiting of [this.#unschedulable, this.#backoff, this.#active])
      for (const pod of waiting.values()) if (pod.refusedBy.size > 0) yield pod;
  }

  #wake(event: ClusterEvent): void {
    this.#inFlight.record(event);
    for (const [name, pod] of this.#unschedulable) {
      const { policy } = this.options;
      const helps = pod.gated
        ? policy.mayRelease(pod.info.pod, event) && !policy.gated(pod.info.pod)
        : this.#helps(pod, event);
      if (!helps) continue;
      this.#unschedulable.delete(name);
      pod.flushed = false;
      pod.wokenBy = eventRevision(event) ?? pod.wokenBy ?? 0;
      this.#release(pod, event.name);
    }
  }

  /** To be called every second or so: ends backoffs and the longest waits. */
  flush(): void {
    this.#endBackoffs();
    const limit = this.#now - this.options.maxUnschedulableMs;
    for (const [name, pod] of this.#unschedulable) {
      if (pod.gated || pod.since > limit) continue;
      this.#unschedulable.delete(name);
      pod.flushed = true;
      this.#release(pod, 'UnschedulableTimeout');
    }
  }

  get #now(): number {
    return this.options.clock.monotonic();
  }

  #helps(pod: QueuedPod, event: ClusterEvent): boolean {
    if (event.name === 'PodUpdate')
      return matters(event.new as Pod) !== matters(event.old as Pod) && !isOther(pod, event);
    return pod.refusedBy.size === 0 || this.options.policy.helps(pod, event);
  }

  /** Active from now on, unless a plugin holds it back. */
  #activate(pod: QueuedPod, event: string): void {
    pod.gated = this.options.policy.gated(pod.info.pod);
    if (pod.gated) this.#unschedulable.set(key(pod), pod);
    else {
      this.#active.push(pod);
      this.options.onMove?.('active', event);
      this.#waiter?.();
    }
  }

  /** Active when its backoff is over. */
  #release(pod: QueuedPod, event: string): void {
    if (readyAt(pod, this.options.backoff) <= this.#now) this.#activate(pod, event);
    else this.#delay(pod, event);
  }

  #delay(pod: QueuedPod, event: string): void {
    this.#backoff.push(pod);
    this.options.onMove?.('backoff', event);
    this.#waiter?.();
  }

  #endBackoffs(): void {
    const { backoff } = this.options;
    for (let pod = this.#backoff.peek(); pod; pod = this.#backoff.peek()) {
      if (readyAt(pod, backoff) > this.#now) return;
      this.#backoff.pop();
      this.#activate(pod, 'BackoffComplete');
    }
  }

  /** With nothing active a refused pod need not sit out its backoff (k8s SchedulerPopFromBackoffQ). */
  #next(): QueuedPod | undefined {
    this.#endBackoffs();
    const active = this.#active.pop();
    if (active) return active;
    const early = this.#backoff.values().find((pod) => pod.errors === 0);
    if (!early) return undefined;
    this.#backoff.remove(key(early));
    this.#activate(early, 'BackoffComplete');
    return this.#active.pop();
  }

  #take(name: string): QueuedPod | undefined {
    const waiting = this.#unschedulable.get(name);
    this.#unschedulable.delete(name);
    return waiting ?? this.#active.remove(name) ?? this.#backoff.remove(name);
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const first = this.#backoff.peek();
      const wake = (): void => {
        cancel?.();
        signal.removeEventListener('abort', wake);
        this.#waiter = undefined;
        resolve();
      };
      const cancel = first
        ? this.options.clock.after(
            Math.max(1, readyAt(first, this.options.backoff) - this.#now),
            wake,
          )
        : undefined;
      this.#waiter = wake;
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

const isOther = (pod: QueuedPod, event: ClusterEvent): boolean =>
  (event.new as Pod).metadata.uid !== pod.info.uid;
