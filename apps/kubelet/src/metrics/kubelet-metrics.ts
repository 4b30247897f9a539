import { createMetrics, measureFeatures } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import { imageMetrics } from './image-metrics.js';
import { nodeMetrics } from './node-metrics.js';
import { podMetrics } from './pod-metrics.js';
import { probeMetrics } from './probe-metrics.js';
import { RequestMetrics } from './request-metrics.js';
import { resizeMetrics } from './resize-metrics.js';
import { runtimeMetrics } from './runtime-metrics.js';
import { volumeMetrics } from './volume-metrics.js';

/**
 * What a kubelet counts, under upstream's names (https://kubernetes.io/docs/reference/instrumentation/metrics/, v1.36).
 * One for a process: many kubelets may share it.
 */
export class KubeletMetrics {
  readonly pods;
  readonly runtime;
  readonly images;
  readonly resizes;
  readonly node;
  readonly volumes;
  readonly requests;
  readonly probes;

  constructor(
    /** Of /metrics. */
    readonly registry: Metrics = createMetrics(),
    /** Of /metrics/probes. */
    readonly probeRegistry: Metrics = createMetrics(),
    /** Of /metrics/slis. */
    readonly sliRegistry: Metrics = createMetrics(),
  ) {
    this.pods = podMetrics(registry);
    this.runtime = runtimeMetrics(registry);
    this.images = imageMetrics(registry);
    this.resizes = resizeMetrics(registry);
    this.node = nodeMetrics(registry);
    this.volumes = volumeMetrics(registry);
    this.requests = new RequestMetrics(registry);
    this.probes = probeMetrics(probeRegistry);
    measureFeatures(registry);
  }
}
