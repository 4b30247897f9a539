import { resources } from '@orrery/api';
import type { Pod } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock, Logger, Metrics, Random } from '@orrery/component';
import type { ActionRecorder } from '@orrery/controller';
import type { InformerFactory, Lister } from '@orrery/informers';
import { ClaimLedger } from './cache/claim-ledger.js';
import { SchedulerCache } from './cache/scheduler-cache.js';
import type { SchedulingOptions } from './config/options.js';
import { explain, withoutNode } from './explain/explain.js';
import type { Explanation } from './explain/explain.js';
import { choosePlugins } from './config/profile-plugins.js';
import { Extender } from './extender/extender.js';
import { Extenders } from './extender/extenders.js';
import { NodeChooser } from './cycle/choose-node.js';
import { ClusterWatch, LIVE_PODS } from './cycle/cluster-watch.js';
import { createPodResourceMetrics } from './metrics/pod-resource-metrics.js';
import { PodStatusWriter } from './cycle/pod-status-writer.js';
import { createSchedulerMeters } from './metrics/scheduler-meters.js';
import type { SchedulerMeters } from './metrics/scheduler-meters.js';
import { Scheduler } from './cycle/scheduler.js';
import { Framework } from './framework/framework.js';
import type { PluginMeters } from './framework/plugin-meters.js';
import { Nominator } from './framework/nominator.js';
import type { Listers, PluginContext } from './framework/plugin.js';
import { isSuccess } from './framework/status.js';
import { PLUGINS } from './plugins/plugins.js';
import { SchedulingQueue } from './queue/scheduling-queue.js';
import type { QueuePolicy } from './queue/scheduling-queue.js';

export interface Surroundings {
  /** Refuses writes while another leads. */
  readonly client: KubeClient;
  readonly informers: InformerFactory;
  readonly actions: (schedulerName: string) => ActionRecorder;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface Assembly {
  readonly scheduler: Scheduler;
  readonly queue: SchedulingQueue;
  /** Each plugin's verdict on a pod as if it had no node. */
  readonly explain: (pod: Pod) => Explanation;
  /** The page /metrics/resources. */
  readonly podResources: Metrics;
  /** To be called every second while leading. */
  readonly everySecond: () => void;
}

function listersOf(informers: InformerFactory): Listers {
  return {
    pods: informers.informer(resources.pods, LIVE_PODS).lister,
    nodes: informers.informer(resources.nodes).lister,
    namespaces: informers.informer(resources.namespaces).lister,
    claims: informers.informer(resources.persistentvolumeclaims).lister,
    volumes: informers.informer(resources.persistentvolumes).lister,
    storageClasses: informers.informer(resources.storageclasses).lister,
    csiNodes: informers.informer(resources.csinodes).lister,
    csiDrivers: informers.informer(resources.csidrivers).lister,
    storageCapacities: informers.informer(resources.csistoragecapacities).lister,
    budgets: informers.informer(resources.poddisruptionbudgets).lister,
    services: informers.informer(resources.services).lister,
    replicaSets: informers.informer(resources.replicasets).lister,
    statefulSets: informers.informer(resources.statefulsets).lister,
    replicationControllers: informers.informer(resources.replicationcontrollers).lister,
    deviceClasses: informers.informer(resources.deviceclasses).lister,
    resourceSlices: informers.informer(resources.resourceslices).lister,
  };
}

/** One recorder for each scheduler name. */
function recorders(
  create: (schedulerName: string) => ActionRecorder,
): (name: string) => ActionRecorder {
  const known = new Map<string, ActionRecorder>();
  return (name) => {
    const recorder = known.get(name) ?? create(name);
    known.set(name, recorder);
    return recorder;
  };
}

type Shared = Omit<PluginContext, 'filters' | 'events' | 'schedulerName'> & {
  readonly events: (name: string) => ActionRecorder;
};

function buildProfiles(
  options: SchedulingOptions,
  shared: Shared,
  meters: PluginMeters,
): Map<string, Framework> {
  const profiles = new Map<string, Framework>();
  for (const profile of options.profiles) {
    const { schedulerName } = profile;
    const filters = (): Framework => {
      const framework = profiles.get(schedulerName);
      if (!framework) throw new TypeError(`profile ${schedulerName} is not built yet`);
      return framework;
    };
    const context = { ...shared, schedulerName, events: shared.events(schedulerName), filters };
    const plugins = choosePlugins(PLUGINS, profile, (entry, args) => entry.create(context, args));
    const { nominator, nodes } = shared;
    profiles.set(
      schedulerName,
      new Framework({ schedulerName, plugins, nominator, nodes, meters }),
    );
  }
  return profiles;
}

/** What the queue asks of the profiles. The first sorts for all, as upstream demands that they agree. */
function queuePolicy(profiles: ReadonlyMap<string, Framework>): QueuePolicy {
  const [first] = profiles.values();
  const profileOf = (pod: Pod): Framework | undefined => profiles.get(pod.spec.schedulerName ?? '');
  return {
    less: (a, b) => first?.less(a, b) ?? a.since < b.since,
    gated(pod) {
      const profile = profileOf(pod);
      return profile !== undefined && !isSuccess(profile.preEnqueue(pod));
    },
    mayRelease: (pod, event) => profileOf(pod)?.mayRelease(pod, event) ?? false,
    helps: ({ info: { pod }, refusedBy }, event) =>
      profileOf(pod)?.helps(pod, refusedBy, event) ?? true,
  };
}

interface Upkeep {
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly pods: Lister<Pod>;
  readonly meters: SchedulerMeters;
}

/** What becomes due by time alone. */
function keepUp({ cache, queue, pods, meters }: Upkeep): void {
  for (const { namespace, name, uid } of cache.expire()) {
    const pod = pods.get({ namespace, name });
    if (pod?.metadata.uid === uid && !pod.spec.nodeName) queue.add(pod);
  }
  queue.flush();
  meters.sizes(queue.sizes);
  for (const [type, size] of Object.entries(cache.sizes))
    meters.cacheSize(type as keyof typeof cache.sizes, size);
}

interface Core {
  readonly profiles: ReadonlyMap<string, Framework>;
  readonly cache: SchedulerCache;
}

/** Judges a pod as if it had no node. For caches that decide nothing: the pod leaves the cache. */
function explainWith({ profiles, cache }: Core, pod: Pod): Explanation {
  const framework = profiles.get(pod.spec.schedulerName ?? '');
  if (!framework) throw new RangeError(`no profile is named ${pod.spec.schedulerName ?? ''}`);
  cache.removePod(pod.metadata.uid ?? '');
  return explain(framework, withoutNode(pod), cache.list());
}

function newQueue(
  { backoff, maxUnschedulableMs }: SchedulingOptions,
  { profiles }: Core,
  { clock, meters }: { readonly clock: Clock; readonly meters: SchedulerMeters },
): SchedulingQueue {
  return new SchedulingQueue({
    clock,
    backoff,
    maxUnschedulableMs,
    policy: queuePolicy(profiles),
    onMove: (to, event) => {
      meters.incoming(to, event);
    },
    onHandled: (event, seconds) => {
      meters.eventHandled(event, seconds);
    },
  });
}

interface Chooser extends Core {
  readonly options: SchedulingOptions;
  readonly around: Surroundings;
  readonly nominator: Nominator;
  readonly extenders: Extenders;
  readonly meters: PluginMeters;
}

function newChooser({ options, around, cache, nominator, extenders, meters }: Chooser) {
  const { random } = around;
  const percentages = new Map(
    options.profiles.map((each) => [each.schedulerName, each.percentageOfNodesToScore]),
  );
  return new NodeChooser({
    nodes: cache,
    random,
    percentageOf: (name) => percentages.get(name) ?? options.percentageOfNodesToScore,
    nominatedNode: (uid) => nominator.nodeOf(uid),
    extenders,
    meters,
  });
}

/** What plugins tell. */
const toldTo = (
  meters: SchedulerMeters,
): Pick<
  PluginContext,
  'preempted' | 'attempted' | 'deviceWaited' | 'volumeStageFailed' | 'claimCreated'
> => ({
  preempted: (victims) => {
    meters.preempted(victims);
  },
  attempted: () => {
    meters.attempted();
  },
  deviceWaited: (wait) => {
    meters.deviceWait(wait);
  },
  claimCreated: (status) => {
    meters.claimCreated(status);
  },
  volumeStageFailed: (operation) => {
    meters.volumeStageFailed(operation);
  },
});

/** Puts queue, cache, profiles and watches together. Nothing runs yet. */
export function assemble(options: SchedulingOptions, around: Surroundings): Assembly {
  const { client, informers, clock, random, logger } = around;
  const cache = new SchedulerCache(clock);
  const ledger = new ClaimLedger();
  const nominator = new Nominator();
  const listers = listersOf(informers);
  const { pods } = listers;
  const events = recorders(around.actions);
  const meters = createSchedulerMeters(around.metrics);
  const extenders = new Extenders(
    options.extenders.map((each) => new Extender(each)),
    logger,
  );
  const base = { client, nominator, ledger, events, clock, random, logger, extenders };
  const shared: Shared = {
    ...base,
    nodes: cache,
    listers,
    ...toldTo(meters),
  };
  const ofPlugins = { ...meters, now: () => clock.monotonic() };
  const profiles = buildProfiles(options, shared, ofPlugins);
  const core = { profiles, cache };
  const queue = newQueue(options, core, { clock, meters });
  const isOurs = (pod: Pod): boolean => profiles.has(pod.spec.schedulerName ?? '');
  new ClusterWatch({ informers, cache, ledger, queue, nominator, isOurs }).attach();
  const chooser = newChooser({
    ...core,
    options,
    around,
    nominator,
    extenders,
    meters: ofPlugins,
  });
  const status = new PodStatusWriter(client, clock);
  const scheduler = new Scheduler({ ...base, ...core, queue, chooser, pods, status, meters });
  meters.watch({
    events: () => queue.keptEvents,
    refused: () =>
      [...queue.refused()].map(({ info, refusedBy: plugins }) => ({
        profile: info.pod.spec.schedulerName ?? '',
        plugins,
      })),
    bindings: () => scheduler.bindings,
  });
  return {
    scheduler,
    queue,
    everySecond: () => {
      keepUp({ cache, queue, pods, meters });
    },
    explain: (pod) => explainWith(core, pod),
    podResources: createPodResourceMetrics(() => pods.list()),
  };
}
