import { join } from 'node:path';
import type { Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import { keyOf } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { connect, loadKubeconfig } from '@orrery/client';
import { SystemRandom, createLogger } from '@orrery/component';
import type { Clock, Logger, Random } from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { tuningOf } from '../config/node-tuning.js';
import type { NodeTuning } from '../config/node-tuning.js';
import { hashContainer } from '../containers/hash.js';
import { containerResources } from '../containers/resources.js';
import { Kubelet } from '../kubelet.js';
import type { KubeletParts } from '../kubelet.js';
import type { Machine } from '../node/machine.js';
import type { ConfigFactory } from '../pod-workers/container-starter.js';
import { HASH_ANNOTATION } from '../runtime/labels.js';
import { gateOf } from '../status/gate.js';
import type { Gate } from '../status/gate.js';
import type { PodVolumes } from '../volumes/volume-manager.js';
import type { HollowFlags } from './hollow-flags.js';
import { HollowRuntime } from './hollow-runtime.js';
import { PASSIVE, workOf } from './hollow-work.js';

/** What all nodes of a fleet share. */
interface Fleet {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly informers: InformerFactory;
  readonly tuning: NodeTuning;
  readonly statusGate: Gate;
}

/** Statuses written at a time, by all nodes together. */
const STATUS_WRITES = 16;

const NO_EVENTS: NonNullable<KubeletParts['recorder']> = {
  event: () => undefined,
  flush: () => Promise.resolve(),
};

/** Registering all at once would only queue them. */
const START_GAP_MS = 4;

const MACHINE: Machine = {
  cpus: 8,
  memoryBytes: 32 * 2 ** 30,
  availableMemoryBytes: 32 * 2 ** 30,
  ephemeralStorageBytes: 100 * 2 ** 30,
  availableStorageBytes: 100 * 2 ** 30,
  hostname: 'hollow',
  architecture: 'amd64',
  kernelVersion: '0.0.0',
  osImage: 'none (hollow node)',
  machineId: '',
  bootId: '',
};

/** No container reads a file here. */
const NO_VOLUMES: PodVolumes = {
  mount: () => Promise.resolve(),
  mountsOf: () => new Map(),
  refresh: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  present: () => Promise.resolve([]),
};

/** What a runtime without processes keeps of a container. */
const hollowConfig: ConfigFactory = ({ pod, container }, imageRef, attempt) =>
  Promise.resolve({
    name: container.name,
    attempt,
    imageRef,
    userImage: container.image ?? '',
    command: [],
    args: [],
    workingDir: '',
    envs: [],
    mounts: [],
    labels: {},
    annotations: { [HASH_ANNOTATION]: hashContainer(container) },
    logPath: '',
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: containerResources(pod, container, MACHINE.memoryBytes),
    supplementalGroups: [],
    privileged: false,
    readonlyRootfs: false,
    noNewPrivileges: false,
    capabilities: { add: [], drop: [] },
  });

function createNode(fleet: Fleet, flags: HollowFlags, index: number): Kubelet {
  const { client, clock, random, logger, informers, tuning, statusGate } = fleet;
  const nodeName = `${flags.namePrefix}-${String(index).padStart(4, '0')}`;
  const rootDir = join(flags.rootDir, nodeName);
  const runtime = new HollowRuntime(clock, (uid, name) => workOf(kubelet.directory.get(uid), name));
  // Where the cluster has no range left for the node, its pods still have addresses of their own.
  void runtime.updatePodCidr(`10.${64 + (index >> 8)}.${index & 255}.0/24`);
  const kubelet: Kubelet = new Kubelet(
    {
      kubeconfig: flags.kubeconfig,
      nodeName,
      nodeIps: [`10.${192 + (index >> 8)}.${index & 255}.1`],
      paths: { rootDir, podLogsDir: join(rootDir, 'pod-logs') },
      runtimeEndpoint: '',
      manifestPath: undefined,
      taints: [],
      labels: { 'orrery.dev/hollow': 'true' },
      clusterDns: [],
      clusterDomain: 'cluster.local',
      address: '127.0.0.1',
      port: 10_250,
      tls: undefined,
      nodeStatusUpdateMs: 10_000,
      nodeLeaseSeconds: 40,
      maxPods: 110,
      tuning,
      allocationFile: undefined,
    },
    {
      client,
      runtime,
      clock,
      random,
      logger,
      informers,
      sourcesReady: () => informers.informer(resources.pods).hasSynced,
      volumes: NO_VOLUMES,
      machine: () => MACHINE,
      hollow: true,
      statusGate,
      ...(flags.podEvents ? {} : { recorder: NO_EVENTS }),
      makeConfig: hollowConfig,
      ...PASSIVE,
    },
  );
  return kubelet;
}

/** Hands each change of a pod or node to the kubelet that it is for. */
function dispatch(fleet: Fleet, kubelets: ReadonlyMap<string, Kubelet>): void {
  const pods = fleet.informers.informer(resources.pods);
  const onPod = (pod: Pod, gone = false): void => {
    const kubelet = kubelets.get(pod.spec.nodeName ?? '');
    void kubelet?.sync.onApiPod(keyOf(pod), gone ? undefined : pod);
  };
  pods.addHandler({
    onAdd: (pod) => {
      onPod(pod);
    },
    onUpdate: (pod) => {
      onPod(pod);
    },
    onDelete: (pod) => {
      onPod(pod, true);
    },
  });
  const observe = (node: Node, gone = false): void => {
    kubelets.get(node.metadata.name ?? '')?.node.observe(gone ? undefined : node);
  };
  fleet.informers.informer(resources.nodes).addHandler({
    onAdd: (node) => {
      observe(node);
    },
    onUpdate: (node) => {
      observe(node);
    },
    onDelete: (node) => {
      observe(node, true);
    },
  });
}

/**
 * Many new nodes in one process: one client and one watch of pods, nodes and Services for all of them, and for each a
 * kubelet with its pod workers over a runtime in memory.
 */
export async function runFleet(
  flags: HollowFlags,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<void> {
  const client = connect(loadKubeconfig(flags.kubeconfig, { userAgent: 'hollow-nodes' }));
  const random = new SystemRandom();
  const logger = createLogger({ component: 'hollow-nodes' });
  const informers = new InformerFactory({ client, clock, random, logger });
  const fleet: Fleet = {
    client,
    clock,
    random,
    logger,
    informers,
    tuning: tuningOf({ shutdownFile: '' }),
    statusGate: gateOf(STATUS_WRITES),
  };
  const kubelets = new Map<string, Kubelet>();
  for (let index = 1; index <= flags.hollowNodes; index++) {
    const kubelet = createNode(fleet, flags, index);
    kubelets.set(kubelet.options.nodeName, kubelet);
  }
  dispatch(fleet, kubelets);
  const watching = informers.start(signal);
  try {
    await informers.waitForSync(signal);
    logger.info('starting hollow nodes', { count: kubelets.size });
    const running: Promise<void>[] = [];
    for (const kubelet of kubelets.values()) {
      if (signal.aborted) break;
      await kubelet.prepareStart();
      running.push(kubelet.start(signal));
      await clock.sleep(START_GAP_MS, signal).catch(() => undefined);
    }
    await Promise.all(running);
  } finally {
    await watching.catch(() => undefined);
    await client.close();
  }
}
