import { join } from 'node:path';
import { resources } from '@orrery/api';
import { ApiEventRecorder } from '@orrery/controller';
import { makeContainerConfig } from './containers/container-config.js';
import { ImageAccess } from './images/image-access.js';
import { ImagePuller } from './images/image-puller.js';
import type { Kubelet } from './kubelet.js';
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
  return new VolumeManager(kubelet.options.paths, claims, (pod) => ({
    env: kubelet.envContext(pod),
    token: (input) => kubelet.tokens.get(input),
  }));
}

export function resizerOf(kubelet: Kubelet): PodResizer {
  return new PodResizer({
    store: new AllocationStore(kubelet.options.allocationFile),
    runtime: kubelet.runtime,
    events: kubelet.events,
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
    active: () => kubelet.workers.active(),
    resourceClaim: kubelet.parts.hollow
      ? undefined
      : (key) => kubelet.parts.client.resource(resources.resourceclaims).get(key),
    runtimeClass: (name) => kubelet.parts.client.resource(resources.runtimeclasses).get({ name }),
    servicesKnown: () =>
      kubelet.informers.informer(resources.services).waitForSync(kubelet.stopSignal),
  });
}

const accessOf = ({ options, parts }: Kubelet): ImageAccess =>
  new ImageAccess(
    options.tuning.images.verification,
    parts.hollow ? undefined : join(options.paths.rootDir, 'image_manager'),
  );

/** One worker a pod, over what starts, hooks and kills containers. */
export function workersOf(kubelet: Kubelet): PodWorkers {
  const { clock, logger, runtime, events } = kubelet;
  const hooks = kubelet.parts.hooks ?? new LifecycleHooks(runtime, clock);
  const starter = new ContainerStarter({
    runtime,
    images: new ImagePuller(
      runtime,
      () => clock.now(),
      (namespace, name) => kubelet.watches.secret(namespace, name),
      accessOf(kubelet),
    ),
    hooks,
    events,
    makeConfig: kubelet.parts.makeConfig ?? fullConfigOf(kubelet),
    maxRestartMs: kubelet.options.tuning.maxRestartMs,
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
    },
    kubelet.stopSignal,
    (pod) => {
      kubelet.sync.onEnded(pod);
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
