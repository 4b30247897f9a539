import { uptime } from 'node:os';
import { join } from 'node:path';
import { resources } from '@orrery/api';
import { ApiEventRecorder } from '@orrery/controller';
import { makeContainerConfig } from './containers/container-config.js';
import { ImageAccess } from './images/image-access.js';
import { ImagePuller } from './images/image-puller.js';
import type { PullObserver } from './images/image-puller.js';
import type { Kubelet } from './kubelet.js';
import { sizeLabelOf } from './metrics/image-metrics.js';
import { NodeStartup } from './metrics/node-startup.js';
import { NodeAgent } from './node/node-agent.js';
import { NodeCare } from './node/node-care.js';
import { ContainerStarter } from './pod-workers/container-starter.js';
import type { ConfigFactory } from './pod-workers/container-starter.js';
import { KubeletHooks } from './pod-workers/kubelet-hooks.js';
import { LifecycleHooks } from './pod-workers/lifecycle-hooks.js';
import { PodKiller } from './pod-workers/pod-killer.js';
import { PodWorkers } from './pod-workers/pod-workers.js';
import { AllocationStore } from './resize/allocation-store.js';
import { PodResizer } from './resize/pod-resizer.js';
import { ClaimMounter } from './volumes/claims.js';
import { VolumeManager } from './volumes/volume-manager.js';
import type { PodVolumes } from './volumes/volume-manager.js';

/** Volumes as files on this machine. */
export function volumesOf(kubelet: Kubelet): PodVolumes {
  const claims = new ClaimMounter({
    client: kubelet.client,
    claim: (namespace, name) => kubelet.watches.claim(namespace, name),
    node: () => kubelet.node.current,
  });
  return new VolumeManager(
    kubelet.options.paths,
    claims,
    (pod) => ({
      env: kubelet.envContext(pod),
      token: (input) => kubelet.tokens.get(input),
    }),
    {
      clock: kubelet.clock,
      metrics: kubelet.metrics.volumes,
    },
  );
}

export function resizerOf(kubelet: Kubelet): PodResizer {
  return new PodResizer({
    store: new AllocationStore(kubelet.options.allocationFile),
    runtime: kubelet.runtime,
    events: kubelet.events,
    metrics: kubelet.metrics.resizes,
    active: () => kubelet.workers.active(),
    allocatable: () => kubelet.node.allocatable(),
    memoryCapacity: () => kubelet.node.memoryCapacity(),
    retry: (uids) => {
      for (const uid of uids) kubelet.workers.wake(uid);
    },
  });
}

export function careOf(kubelet: Kubelet): NodeCare {
  const { runtime, cache, volumes, events, clock, logger, options } = kubelet;
  return new NodeCare({
    tuning: options.tuning,
    paths: options.paths,
    runtime,
    cache,
    volumes,
    events,
    clock,
    logger,
    metrics: kubelet.metrics,
    workers: () => kubelet.workers,
    machine: () => kubelet.node.machine(),
    node: () => kubelet.node.current,
    nodeEvent: (node, type, reason, message) => {
      kubelet.nodeEvent(node, type, reason, message);
    },
    changed: () => {
      kubelet.node.refresh();
    },
  });
}

/** Where no container reads a file or variable, no object need be followed. */
const NO_WATCHES = { retain: (): void => undefined, release: (): void => undefined };

export function hooksOf(kubelet: Kubelet): KubeletHooks {
  const { options, cache, pleg, node, care, probes, volumes, watches, tokens, resizer } = kubelet;
  const { statuses, reporter, events } = kubelet;
  return new KubeletHooks({
    options,
    cache,
    pleg,
    node,
    care,
    probes,
    volumes,
    watches: kubelet.parts.hollow ? NO_WATCHES : watches,
    tokens,
    resizer,
    statuses,
    reporter,
    events,
    metrics: kubelet.metrics.pods,
    active: () => kubelet.workers.active(),
    resourceClaim: kubelet.parts.hollow
      ? undefined
      : (key) => kubelet.parts.client.resource(resources.resourceclaims).get(key),
    runtimeClass: (name) => kubelet.parts.client.resource(resources.runtimeclasses).get({ name }),
    servicesKnown: () =>
      kubelet.informers.informer(resources.services).waitForSync(kubelet.stopSignal),
  });
}

export const imageAccessOf = ({ options, parts, metrics }: Kubelet): ImageAccess =>
  new ImageAccess(
    options.tuning.images.verification,
    parts.hollow ? undefined : join(options.paths.rootDir, 'image_manager'),
    metrics.images,
  );

/** What becomes of requests for images, counted. */
const pullObserverOf = ({ metrics: { images }, podStarts }: Kubelet): PullObserver => ({
  ensured: (policy, isPresent, isPullRequired) => {
    images.ensured.inc({
      pull_policy: policy.toLowerCase(),
      present_locally: String(isPresent ?? 'unknown'),
      pull_required: String(isPullRequired ?? 'unknown'),
    });
  },
  pullStarted: (uid) => {
    podStarts.pullStarted(uid);
  },
  pullFinished: (uid, bytes, ms) => {
    podStarts.pullFinished(uid);
    images.pullDuration.observe({ image_size_in_bytes: sizeLabelOf(bytes) }, ms / 1000);
  },
});

/** What registers the node and speaks for it. */
export function createNode(kubelet: Kubelet): NodeAgent {
  const { options, client, runtime, clock, logger, parts, metrics } = kubelet;
  const bootMs = clock.now() - uptime() * 1000;
  const startup = new NodeStartup(metrics.node.startup, clock, bootMs);
  return new NodeAgent(
    {
      ...options,
      rootDir: options.paths.rootDir,
      updateMs: options.nodeStatusUpdateMs,
      reserved: options.tuning.reserved,
    },
    {
      client,
      runtime,
      clock,
      logger,
      ...(parts.machine && { machine: parts.machine }),
      plegHealthy: () => kubelet.pleg.isHealthy(),
      pressures: () => kubelet.care.eviction.pressures,
      shutdown: () => kubelet.care.shutdown.problem,
      registration: (state) => {
        startup.registration(state);
      },
      event: (node, reason, message) => {
        if (reason === 'NodeReady') startup.ready();
        kubelet.nodeEvent(node, 'Normal', reason, message);
      },
      networkChanged: () => {
        kubelet.workers.wakeAll();
      },
    },
  );
}

/** One worker a pod, over what starts, hooks and kills containers. */
export function workersOf(kubelet: Kubelet): PodWorkers {
  const { clock, logger, runtime, events } = kubelet;
  const { metrics } = kubelet;
  const hooks =
    kubelet.parts.hooks ?? new LifecycleHooks(runtime, clock, metrics.pods.hooks, events);
  const starter = new ContainerStarter({
    runtime,
    images: new ImagePuller(
      runtime,
      () => clock.now(),
      (namespace, name) => kubelet.watches.secret(namespace, name),
      kubelet.imageAccess,
      pullObserverOf(kubelet),
    ),
    hooks,
    events,
    makeConfig: kubelet.parts.makeConfig ?? fullConfigOf(kubelet),
    maxRestartMs: kubelet.options.tuning.maxRestartMs,
    metrics,
    now: () => clock.now(),
  });
  const killer = new PodKiller({ runtime, hooks, events, clock, logger });
  return new PodWorkers(
    {
      clock,
      logger,
      runtime,
      starter,
      killer,
      events,
      probes: kubelet.probes,
      hooks: kubelet.hooks,
      metrics,
    },
    kubelet.stopSignal,
    (pod, returns) => {
      kubelet.sync.onEnded(pod, returns);
    },
  );
}

export function recorderOf({
  client,
  options,
  clock,
  logger,
}: Pick<Kubelet, 'client' | 'clock' | 'logger'> & {
  readonly options: Pick<Kubelet['options'], 'nodeName'>;
}): ApiEventRecorder {
  const host = options.nodeName;
  return new ApiEventRecorder({ client, component: 'kubelet', host, clock, logger });
}

/** Everything of a container that a runtime with processes needs. */
function fullConfigOf(kubelet: Kubelet): ConfigFactory {
  const { options } = kubelet;
  return ({ pod, container, imageVolumes }, imageRef, attempt) =>
    makeContainerConfig({
      pod,
      ...(imageVolumes ? { imageVolumes } : {}),
      supportsRecursiveReadOnly: kubelet.node.handler?.recursiveReadOnlyMounts === true,
      container,
      attempt,
      imageRef,
      imageUser: (image) => kubelet.runtime.imageUser(image),
      volumes: kubelet.volumes.mountsOf(pod),
      env: kubelet.envContext(pod),
      paths: options.paths,
      memoryCapacity: kubelet.node.memoryCapacity(),
    });
}
