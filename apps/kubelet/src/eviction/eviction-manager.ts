import type { NodeCondition, Pod, PodCondition } from '@orrery/api';
import type { Clock, Logger } from '@orrery/component';
import { toTime } from '@orrery/component';
import { uidOf } from '../containers/visit.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { PodFailure } from '../pod-workers/worker-hooks.js';
import type { ContainerUsage } from '../runtime/runtime.js';
import { qosClassOf } from '../status/qos.js';
import { exceededLimit, hasStorageLimit, totalOf } from './local-storage.js';
import type { PodStorage } from './local-storage.js';
import type { Observation, Observations } from './observations.js';
import {
  containersText,
  isCritical,
  rankPods,
  resourceOf,
  toBinaryText,
  useOf,
} from './rank-pods.js';
import type { PodUse, Starved } from './rank-pods.js';
import { amountOf } from './thresholds.js';
import type { Signal, Threshold } from './thresholds.js';

export interface EvictionParts {
  readonly thresholds: readonly Threshold[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a condition stays after its cause has gone. */
  readonly transitionMs: number;
  /** Most seconds that a pod gets on a soft threshold. */
  readonly maxPodGraceSeconds: number;
  observe(): Promise<Observations>;
  usage(): Promise<readonly ContainerUsage[]>;
  active(): readonly Pod[];
  /** What a pod holds on the disk, as of now. */
  storageOf(pod: Pod, usage: readonly ContainerUsage[]): Promise<PodStorage>;
  /** False when the pod is being ended already. */
  evict(pod: Pod, graceSeconds: number, failure: PodFailure): boolean;
  isTerminating(uid: string): boolean;
  /** Frees what belongs to no pod, for a signal of the disk. */
  reclaimDisk(): Promise<void>;
  podEvent(pod: Pod, message: string): void;
  nodeEvent(reason: string, message: string): void;
  /** The node's conditions changed. */
  changed(): void;
  readonly metrics?: Pick<NodeMetrics, 'evictions' | 'evictionStatsAge'> | undefined;
}

type Pressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

/** How often the node is looked at (k8s pkg/kubelet/kubelet.go:evictionMonitoringPeriod). */
const PERIOD_MS = 10_000;

const PRESSURES: Readonly<Record<Signal, Pressure>> = {
  'memory.available': 'MemoryPressure',
  'nodefs.available': 'DiskPressure',
  'nodefs.inodesFree': 'DiskPressure',
  'imagefs.available': 'DiskPressure',
  'pid.available': 'PIDPressure',
};

/** Reasons and texts with and without pressure (k8s pkg/kubelet/nodestatus/setters.go). */
const TEXTS: Readonly<Record<Pressure, readonly [string, string, string, string]>> = {
  MemoryPressure: [
    'KubeletHasInsufficientMemory',
    'kubelet has insufficient memory available',
    'KubeletHasSufficientMemory',
    'kubelet has sufficient memory available',
  ],
  DiskPressure: [
    'KubeletHasDiskPressure',
    'kubelet has disk pressure',
    'KubeletHasNoDiskPressure',
    'kubelet has no disk pressure',
  ],
  PIDPressure: [
    'KubeletHasInsufficientPID',
    'kubelet has insufficient PID available',
    'KubeletHasSufficientPID',
    'kubelet has sufficient PID available',
  ],
};

/** The node's conditions under these pressures. */
export function pressureConditions(pressures: readonly string[]): NodeCondition[] {
  return (['MemoryPressure', 'DiskPressure', 'PIDPressure'] as const).map((type) => {
    const [badReason, badText, goodReason, goodText] = TEXTS[type];
    return pressures.includes(type)
      ? { type, status: 'True', reason: badReason, message: badText }
      : { type, status: 'False', reason: goodReason, message: goodText };
  });
}

interface Met {
  readonly threshold: Threshold;
  readonly observation: Observation;
}

/** Ends pods when the node runs short, so that the node lives (k8s pkg/kubelet/eviction/eviction_manager.go). */
export class EvictionManager {
  private readonly since = new Map<Threshold, number>();
  private readonly lastPressure = new Map<Pressure, number>();
  /** When the node was observed last, monotonic. */
  private observedMs = 0;
  private evicted: string | undefined;
  private shown = '';

  constructor(private readonly parts: EvictionParts) {}

  /** Conditions of now, with those that ended a short while ago. */
  get pressures(): readonly Pressure[] {
    const now = this.parts.clock.monotonic();
    return [...this.lastPressure]
      .filter(([, at]) => now - at < this.parts.transitionMs)
      .map(([type]) => type);
  }

  /** A node under pressure takes no new pods that would make it worse. */
  refusal(pod: Pod): { readonly reason: string; readonly message: string } | undefined {
    const { pressures } = this;
    if (pressures.length === 0 || isCritical(pod)) return undefined;
    const onlyMemory = pressures.length === 1 && pressures[0] === 'MemoryPressure';
    const tolerates = pod.spec.tolerations?.some(
      (one) =>
        (one.key === 'node.kubernetes.io/memory-pressure' || !one.key) &&
        (!one.effect || one.effect === 'NoSchedule'),
    );
    if (onlyMemory && (qosClassOf(pod) !== 'BestEffort' || tolerates)) return undefined;
    return {
      reason: 'Evicted',
      message: `The node had condition: [${pressures.join(' ')}]. `,
    };
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.parts;
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        logger.warn('eviction: the node was not observed', { error: String(error) });
      });
      await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
    }
  }

  /** One look: conditions, then at most one eviction. */
  async look(): Promise<void> {
    const observations = await this.observe();
    const met = this.thresholdsMet(observations);
    const now = this.parts.clock.monotonic();
    for (const { threshold } of met) this.lastPressure.set(PRESSURES[threshold.signal], now);
    this.tellConditions();
    if (await this.limitStorage()) return;
    if (this.evicted !== undefined && this.parts.isTerminating(this.evicted)) return;
    this.evicted = undefined;
    const due = met.filter(({ threshold }) => this.isDue(threshold, now));
    // Memory first: it cannot wait.
    const [first] = due.toSorted(
      (a, b) =>
        Number(b.threshold.signal === 'memory.available') -
        Number(a.threshold.signal === 'memory.available'),
    );
    if (first) await this.reclaim(first);
  }

  private async observe(): Promise<Observations> {
    const observations = await this.parts.observe();
    this.observedMs = this.parts.clock.monotonic();
    return observations;
  }

  private tellConditions(): void {
    const shown = this.pressures.toSorted().join();
    if (shown === this.shown) return;
    this.shown = shown;
    this.parts.changed();
  }

  private thresholdsMet(observations: Observations): Met[] {
    const now = this.parts.clock.monotonic();
    return this.parts.thresholds.flatMap((threshold) => {
      const observation = observations[threshold.signal];
      if (!observation) return [];
      const extra = this.since.has(threshold) ? threshold.reclaim : 0;
      if (observation.available >= amountOf(threshold, observation.capacity) + extra) {
        this.since.delete(threshold);
        return [];
      }
      if (!this.since.has(threshold)) this.since.set(threshold, now);
      return [{ threshold, observation }];
    });
  }

  private isDue(threshold: Threshold, now: number): boolean {
    return now - (this.since.get(threshold) ?? now) >= threshold.graceMs;
  }

  private async reclaim({ threshold, observation }: Met): Promise<void> {
    const { signal } = threshold;
    const resource = resourceOf(signal);
    this.parts.nodeEvent('EvictionThresholdMet', `Attempting to reclaim ${resource}`);
    if (PRESSURES[signal] === 'DiskPressure') {
      await this.parts.reclaimDisk();
      const again = (await this.observe())[signal];
      if (again && again.available >= amountOf(threshold, again.capacity)) return;
    }
    for (const use of rankPods(await this.usesOf(resource), resource)) {
      const { pod } = use;
      const quantity =
        'share' in threshold.quantity
          ? toBinaryText(amountOf(threshold, observation.capacity))
          : threshold.quantity.text;
      const message = `The node was low on resource: ${resource}. Threshold quantity: ${quantity}, available: ${toBinaryText(observation.available)}. ${containersText(use, resource)}`;
      const grace =
        threshold.graceMs > 0
          ? Math.min(this.parts.maxPodGraceSeconds, pod.spec.terminationGracePeriodSeconds ?? 30)
          : 1;
      if (!this.evict(pod, grace, message, signal)) continue;
      const ageMs = this.parts.clock.monotonic() - this.observedMs;
      this.parts.metrics?.evictionStatsAge.observe({ eviction_signal: signal }, ageMs / 1000);
      return;
    }
    this.parts.logger.warn('eviction: no pod is left to evict', { signal });
  }

  private evict(pod: Pod, graceSeconds: number, message: string, signal: string): boolean {
    const condition: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'TerminationByKubelet',
      message,
      lastTransitionTime: toTime(this.parts.clock.now()),
    };
    if (!this.parts.evict(pod, graceSeconds, { reason: 'Evicted', message, condition }))
      return false;
    this.evicted = uidOf(pod);
    this.parts.metrics?.evictions.inc({ eviction_signal: signal });
    this.parts.podEvent(pod, message);
    return true;
  }

  /** Ends the pods that hold more of the disk than they may. */
  private async limitStorage(): Promise<boolean> {
    const { parts } = this;
    const pods = parts
      .active()
      .filter((pod) => hasStorageLimit(pod) && !parts.isTerminating(uidOf(pod)));
    if (pods.length === 0) return false;
    const used = await parts.usage();
    let isAnyEvicted = false;
    for (const pod of pods) {
      const exceeded = exceededLimit(pod, await parts.storageOf(pod, used));
      if (exceeded && this.evict(pod, 1, exceeded.message, exceeded.signal)) isAnyEvicted = true;
    }
    return isAnyEvicted;
  }

  /** The disk is measured only when it is short, since that looks at each file. */
  private async usesOf(resource: Starved): Promise<PodUse[]> {
    const { parts } = this;
    const used = await parts.usage();
    const pods = parts.active();
    if (resource === 'memory' || resource === 'pids')
      return pods.map((pod) => useOf(pod, used, resource));
    const uses: PodUse[] = [];
    for (const pod of pods) {
      const storage = await parts.storageOf(pod, used);
      const { containers, inodes } = storage;
      const total = resource === 'inodes' ? inodes : totalOf(pod, storage);
      uses.push({ pod, used: total, containers });
    }
    return uses;
  }
}
