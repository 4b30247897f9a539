import type { Clock, Logger } from '@orrery/component';
import { isRuntimeUnimplemented } from '../runtime/runtime.js';
import type { Runtime, RuntimePod } from '../runtime/runtime.js';
import type { RuntimeMetrics } from '../metrics/runtime-metrics.js';
import type { PodCache } from './pod-cache.js';

/** Full comparison with the runtime: often without its event stream, rarely with it. */
const RELIST_MS = 1_000;
const RELIST_WITH_EVENTS_MS = 5_000;
/** A runtime that has not answered yet is starting. */
const STARTING_MS = 50;
/** k8s pkg/kubelet/pleg/generic.go: older than this and the runtime counts as down. */
const HEALTHY_MS = 180_000;

export interface PlegOptions {
  /** Between two full comparisons while the runtime tells what changes; default 5 s. */
  readonly relistMs?: number;
  readonly metrics?: RuntimeMetrics | undefined;
}

/** Pod life-cycle event generator: keeps the cache true by the runtime's events and by relisting. */
export class Pleg {
  private streaming = false;
  private lastRelistMs = 0;

  constructor(
    private readonly runtime: Pick<Runtime, 'changes' | 'getPod' | 'listPods'>,
    private readonly cache: PodCache,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly options: PlegOptions = {},
  ) {}

  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([this.relistLoop(signal), this.eventLoop(signal)]);
  }

  /** Reads one pod from the runtime into the cache and wakes its worker when it changed. */
  async refresh(uid: string, notify = true): Promise<RuntimePod | undefined> {
    const pod = await this.runtime.getPod(uid);
    this.cache.set(uid, pod, notify);
    return pod;
  }

  async relist(): Promise<void> {
    const { metrics } = this.options;
    const startedMs = this.clock.monotonic();
    if (this.lastRelistMs > 0)
      metrics?.relistInterval.observe((startedMs - this.lastRelistMs) / 1000);
    try {
      await this.compare();
    } finally {
      metrics?.relistDuration.observe((this.clock.monotonic() - startedMs) / 1000);
    }
    this.lastRelistMs = this.clock.monotonic();
    metrics?.lastSeen.set(this.clock.now() / 1000);
  }

  private async compare(): Promise<void> {
    const pods = await this.runtime.listPods();
    const seen = new Set(pods.map((pod) => pod.uid));
    for (const pod of this.cache.all()) if (!seen.has(pod.uid)) this.cache.set(pod.uid, undefined);
    for (const pod of pods) this.cache.set(pod.uid, pod);
  }

  isHealthy(): boolean {
    return this.lastRelistMs > 0 && this.clock.monotonic() - this.lastRelistMs < HEALTHY_MS;
  }

  private async relistLoop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.relist();
      } catch (error) {
        if (this.lastRelistMs > 0)
          this.logger.warn('runtime does not answer', { error: String(error) });
      }
      await this.clock.sleep(this.pauseMs(), signal).catch(() => undefined);
    }
  }

  private pauseMs(): number {
    if (this.lastRelistMs === 0) return STARTING_MS;
    return this.streaming ? (this.options.relistMs ?? RELIST_WITH_EVENTS_MS) : RELIST_MS;
  }

  private async eventLoop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const stream = this.runtime.changes(signal);
        this.streaming = true;
        this.options.metrics?.streams.inc();
        for await (const uid of stream) {
          if (uid === '') await this.relist();
          else await this.refresh(uid);
        }
      } catch (error) {
        if (isRuntimeUnimplemented(error)) {
          this.streaming = false;
          return;
        }
        if (!signal.aborted) {
          this.options.metrics?.streamErrors.inc();
          this.logger.warn('container event stream broke', { error: String(error) });
        }
      }
      this.streaming = false;
      const pauseMs = this.lastRelistMs === 0 ? STARTING_MS : RELIST_MS;
      await this.clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }
}
