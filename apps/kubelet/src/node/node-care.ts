import type { Node, Pod } from '@orrery/api';
import type { Clock, Logger } from '@orrery/component';
import type { NodeTuning } from '../config/node-tuning.js';
import { EvictionManager } from '../eviction/eviction-manager.js';
import { measureStorage } from '../eviction/local-storage.js';
import { observe } from '../eviction/observations.js';
import { ImageGc } from '../garbage-collection/image-gc.js';
import { LogRotation } from '../logs/log-rotation.js';
import type { KubeletMetrics } from '../metrics/kubelet-metrics.js';
import type { PodCache } from '../pleg/pod-cache.js';
import type { PodEvents } from '../pod-workers/pod-events.js';
import type { PodWorkers } from '../pod-workers/pod-workers.js';
import { podLogDir } from '../containers/paths.js';
import type { KubeletPaths } from '../containers/paths.js';
import { uidOf } from '../containers/visit.js';
import type { Runtime } from '../runtime/runtime.js';
import type { PodVolumes } from '../volumes/volume-manager.js';
import type { Machine } from './machine.js';
import { NodeShutdown } from './node-shutdown.js';

export interface NodeCareParts {
  readonly tuning: NodeTuning;
  readonly paths: KubeletPaths;
  readonly runtime: Runtime;
  readonly cache: PodCache;
  readonly volumes: PodVolumes;
  readonly events: PodEvents;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<KubeletMetrics, 'images' | 'node'>;
  workers(): PodWorkers;
  machine(): Machine;
  node(): Node | undefined;
  nodeEvent(node: Node, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** The node's conditions changed. */
  changed(): void;
}

/** What keeps a node alive and tidy: eviction, collection of images, rotation of logs, shutdown in good order. */
export class NodeCare {
  readonly eviction: EvictionManager;
  readonly shutdown: NodeShutdown;
  readonly images: ImageGc;
  private readonly logs: LogRotation;

  constructor(private readonly parts: NodeCareParts) {
    const { tuning, runtime, cache, clock, logger } = parts;
    this.images = new ImageGc({
      runtime,
      cache,
      clock,
      logger,
      ...tuning.images,
      capacity: () => parts.machine().ephemeralStorageBytes,
      nodeEvent: (reason, message) => this.warn(reason, message),
      removed: (reason) => {
        parts.metrics.images.collected.inc({ reason });
      },
    });
    this.logs = new LogRotation({ runtime, cache, clock, logger, ...tuning.logs });
    this.shutdown = new NodeShutdown({
      clock,
      logger,
      ...tuning.shutdown,
      metrics: parts.metrics.node.shutdown,
      active: () => parts.workers().active(),
      evict: (pod, grace, failure) => parts.workers().evict(uidOf(pod), grace, failure),
      isTerminating: (uid) => parts.workers().isTerminating(uid),
      nodeEvent: (reason, message) => {
        const node = parts.node();
        if (node) parts.nodeEvent(node, 'Normal', reason, message);
      },
      changed: () => {
        parts.changed();
      },
    });
    this.eviction = this.createEviction();
  }

  /** Why the node takes this pod no more, else undefined. */
  refusal(pod: Pod): { readonly reason: string; readonly message: string } | undefined {
    return this.shutdown.refusal() ?? this.eviction.refusal(pod);
  }

  async start(signal: AbortSignal): Promise<void> {
    const loops = [this.eviction, this.images, this.logs, this.shutdown];
    await Promise.all(loops.map((one) => one.start(signal)));
  }

  private warn(reason: string, message: string): void {
    const node = this.parts.node();
    if (node) this.parts.nodeEvent(node, 'Warning', reason, message);
  }

  private createEviction(): EvictionManager {
    const { parts } = this;
    const { runtime, clock, logger, tuning, paths } = parts;
    return new EvictionManager({
      ...tuning.eviction,
      metrics: parts.metrics.node,
      clock,
      logger,
      observe: async () =>
        observe({
          rootDir: paths.rootDir,
          machine: parts.machine(),
          usage: await runtime.usage(),
          imageBytes: await runtime.imageBytes(),
        }),
      usage: () => runtime.usage(),
      active: () => parts.workers().active(),
      storageOf: (pod, usage) =>
        measureStorage(pod, {
          usage,
          logDir: podLogDir(paths, pod),
          mounts: parts.volumes.mountsOf(pod),
        }),
      evict: (pod, grace, failure) => parts.workers().evict(uidOf(pod), grace, failure),
      isTerminating: (uid) => parts.workers().isTerminating(uid),
      reclaimDisk: () => this.images.collectAll(),
      podEvent: (pod, message) => {
        parts.events.pod(pod, 'Warning', 'Evicted', message);
      },
      nodeEvent: (reason, message) => this.warn(reason, message),
      changed: () => {
        parts.changed();
      },
    });
  }
}
