import type { Container, Pod, Probe } from '@orrery/api';
import type { Clock } from '@orrery/component';
import type { ProbeResult, Prober } from './prober.js';

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

export interface ProbeTarget {
  readonly containerId: string;
  readonly startedAtMs: number;
  readonly podIp: string;
}

export interface ProbeWorkerParts {
  readonly prober: Pick<Prober, 'probe'>;
  readonly clock: Clock;
  /** The container's current run, if it runs. */
  target(): ProbeTarget | undefined;
  /** The startup probe of that container has passed. */
  started(containerId: string): boolean;
  /** A verdict after thresholds. */
  result(kind: ProbeKind, containerId: string, passed: boolean): void;
  /** A probe failed, or passed with a warning. */
  unhealthy(kind: ProbeKind, result: ProbeResult): void;
  /** One probe was made. */
  probed(kind: ProbeKind, passed: boolean, seconds: number): void;
}

/** Repeats one probe of one container and applies its thresholds (k8s pkg/kubelet/prober/worker.go). */
export class ProbeWorker {
  private containerId = '';
  private last: boolean | undefined;
  private run = 0;
  private onHold = false;

  constructor(
    readonly kind: ProbeKind,
    private readonly probe: Probe,
    private readonly container: Container,
    private pod: Pod,
    private readonly parts: ProbeWorkerParts,
  ) {}

  update(pod: Pod): void {
    this.pod = pod;
  }

  async start(signal: AbortSignal): Promise<void> {
    const periodMs = (this.probe.periodSeconds ?? 10) * 1000;
    while (!signal.aborted) {
      const target = this.parts.target();
      const waitMs = target ? await this.look(target, periodMs) : Math.min(periodMs, 1_000);
      await this.parts.clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  /** One look; the result is how long to wait for the next. */
  private async look(target: ProbeTarget, periodMs: number): Promise<number> {
    if (target.containerId !== this.containerId) {
      this.containerId = target.containerId;
      this.last = undefined;
      this.run = 0;
      this.onHold = false;
    }
    if (this.onHold) return periodMs;
    const ageMs = this.parts.clock.now() - target.startedAtMs;
    const initialMs = (this.probe.initialDelaySeconds ?? 0) * 1000;
    if (ageMs < initialMs) return Math.max(1, initialMs - ageMs);
    if (this.kind !== 'readiness' && this.pod.metadata.deletionTimestamp) {
      this.parts.result(this.kind, target.containerId, true);
      this.onHold = true;
      return periodMs;
    }
    const started = this.parts.started(target.containerId);
    if (this.kind === 'startup' ? started : !started) return Math.min(periodMs, 200);
    const startedMs = this.parts.clock.monotonic();
    const result = await this.parts.prober.probe(this.probe, this.container, target, this.pod);
    const seconds = (this.parts.clock.monotonic() - startedMs) / 1000;
    if (this.parts.target()?.containerId !== target.containerId) return 0;
    this.parts.probed(this.kind, result.passed, seconds);
    this.judge(result, target.containerId);
    return periodMs;
  }

  private judge(result: ProbeResult, containerId: string): void {
    if (!result.passed || result.warning) this.parts.unhealthy(this.kind, result);
    if (this.last === result.passed) this.run++;
    else {
      this.last = result.passed;
      this.run = 1;
    }
    const threshold = result.passed
      ? (this.probe.successThreshold ?? 1)
      : (this.probe.failureThreshold ?? 3);
    if (this.run < threshold) return;
    this.parts.result(this.kind, containerId, result.passed);
    if (!result.passed && this.kind !== 'readiness') {
      // The container is about to be restarted; its successor has another id.
      this.onHold = true;
      this.run = 0;
    }
  }
}
