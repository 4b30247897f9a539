import type { Clock } from '@orrery/component';
import type { NodeMetrics } from './node-metrics.js';

/** How a new node came to be, from the start of its machine to Ready (k8s pkg/kubelet/util/node_startup_latency_tracker.go). */
export class NodeStartup {
  private readonly kubeletMs: number;
  private begunMs: number | undefined;
  private doneMs: number | undefined;
  private isTold = false;

  constructor(
    private readonly metrics: NodeMetrics['startup'],
    private readonly clock: Clock,
    /** When the machine started, in ms since the epoch. */
    private readonly bootMs: number,
  ) {
    this.kubeletMs = clock.now();
  }

  registration(state: 'begun' | 'done'): void {
    const now = this.clock.now();
    if (state === 'begun') this.begunMs ??= now;
    if (state === 'begun' || this.begunMs === undefined || this.doneMs !== undefined) return;
    this.doneMs = now;
    this.metrics.preKubelet.set((this.kubeletMs - this.bootMs) / 1000);
    this.metrics.preRegistration.set((this.begunMs - this.kubeletMs) / 1000);
    this.metrics.registration.set((now - this.begunMs) / 1000);
  }

  /** The node is Ready; only the first time counts, and only of a node that this kubelet has made. */
  ready(): void {
    if (this.doneMs === undefined || this.isTold) return;
    this.isTold = true;
    const now = this.clock.now();
    this.metrics.postRegistration.set((now - this.doneMs) / 1000);
    this.metrics.total.set((now - this.bootMs) / 1000);
  }
}
