import type { Pod } from '@orrery/api';
import { fullNameOf, isStaticPod, uidOf } from '../containers/visit.js';
import { graceOf } from './grace.js';
import { PodWorker } from './pod-worker.js';
import type { PodFailure, WorkerParts } from './worker-hooks.js';

export interface WorkerState {
  readonly pod: Pod;
  readonly lifecycle: PodWorker['lifecycle'];
  readonly isRuntimeOnly: boolean;
}

/** One worker per pod uid; static pods of one name follow each other, never side by side. */
export class PodWorkers {
  private readonly workers = new Map<string, PodWorker>();
  private readonly runs = new Set<Promise<void>>();
  private readonly waiting = new Map<string, Pod>();
  /** Uids that left their source while their workers go on. */
  private readonly removed = new Set<string>();
  /** Those of them that came back: they start anew once they have ended. */
  private readonly returned = new Map<string, Pod>();
  /** Uids that only the runtime knows. */
  private readonly runtimeOnly = new Set<string>();

  constructor(
    private readonly parts: WorkerParts,
    private readonly signal: AbortSignal,
    /** Called when a pod has ended and its worker is gone, or is followed by one for the same uid that has come back. */
    private readonly onEnd: (pod: Pod, returns: boolean) => void,
  ) {}

  /** Starts or informs the pod's worker. */
  update(pod: Pod): void {
    const uid = uidOf(pod);
    const worker = this.workers.get(uid);
    if (worker) {
      if (this.removed.has(uid)) this.returned.set(uid, pod);
      worker.update(pod);
      return;
    }
    const rival = [...this.workers.values()].some(
      (one) => fullNameOf(one.current) === fullNameOf(pod),
    );
    if (rival) this.waiting.set(uidOf(pod), pod);
    else this.launch(pod);
  }

  /** The pod is gone from its source. */
  remove(pod: Pod): void {
    const uid = uidOf(pod);
    this.waiting.delete(uid);
    this.returned.delete(uid);
    const worker = this.workers.get(uid);
    if (!worker) return;
    this.removed.add(uid);
    worker.terminate(graceOf(pod));
  }

  /** Ends a pod that its source still wants, for a reason that its status will show; false when it is not there. */
  evict(uid: string, graceSeconds: number, failure: PodFailure): boolean {
    const worker = this.workers.get(uid);
    if (!worker || worker.isTerminating) return false;
    worker.terminate(graceSeconds, failure);
    return true;
  }

  /** Ends what the runtime still holds of a pod that no source names. */
  endOrphan(pod: Pod): void {
    if (this.workers.has(uidOf(pod))) return;
    this.parts.metrics?.pods.orphans.inc();
    this.runtimeOnly.add(uidOf(pod));
    this.launch(pod).terminate(graceOf(pod));
  }

  wake(uid: string): void {
    this.workers.get(uid)?.wake();
  }

  /** What a probe says of the pod has changed. */
  probed(uid: string): void {
    this.workers.get(uid)?.probed();
  }

  wakeAll(): void {
    for (const worker of this.workers.values()) worker.wake();
  }

  has(uid: string): boolean {
    return this.workers.has(uid) || this.waiting.has(uid);
  }

  isTerminating(uid: string): boolean {
    return this.workers.get(uid)?.isTerminating ?? false;
  }

  /** Pods that hold resources: admitted or about to be, and not yet ended. */
  active(): Pod[] {
    return [...this.workers.values()].filter((one) => !one.isTerminated).map((one) => one.current);
  }

  /** Where each pod is in its life, and whether any source ever named it. */
  states(): readonly WorkerState[] {
    return [...this.workers].map(([uid, worker]) => ({
      pod: worker.current,
      lifecycle: worker.lifecycle,
      isRuntimeOnly: this.runtimeOnly.has(uid),
    }));
  }

  /** Resolves when all workers have stopped after the signal. */
  async stopped(): Promise<void> {
    await Promise.all(this.runs);
  }

  private launch(pod: Pod): PodWorker {
    const uid = uidOf(pod);
    const worker = new PodWorker(pod, this.parts);
    this.parts.metrics?.pods.containersPerPod.observe(pod.spec.containers.length);
    this.workers.set(uid, worker);
    if (pod.metadata.deletionTimestamp) worker.update(pod);
    const run = worker.start(this.signal).then(() => {
      this.runs.delete(run);
      this.finish(uid, worker);
    });
    this.runs.add(run);
    return worker;
  }

  private finish(uid: string, worker: PodWorker): void {
    if (!worker.isTerminated) return;
    this.workers.delete(uid);
    this.removed.delete(uid);
    this.runtimeOnly.delete(uid);
    const returned = this.returned.get(uid);
    if (returned) {
      this.returned.delete(uid);
      this.parts.metrics?.pods.restarted.inc({ static: isStaticPod(returned) ? 'true' : '' });
      this.onEnd(worker.current, true);
      this.launch(returned);
      return;
    }
    this.onEnd(worker.current, false);
    for (const [key, pod] of this.waiting) {
      if (fullNameOf(pod) !== fullNameOf(worker.current)) continue;
      this.waiting.delete(key);
      this.launch(pod);
      return;
    }
  }
}
