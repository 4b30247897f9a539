import type { KubeObject } from '@orrery/apimachinery';
import type { ResourceClaim } from '@orrery/api';
import { silentLogger } from '@orrery/component';
import { noActions } from '@orrery/controller';
import { Indexer } from '@orrery/informers';
import { ClaimLedger } from '../src/cache/claim-ledger.js';
import { SchedulerCache } from '../src/cache/scheduler-cache.js';
import { Extenders } from '../src/extender/extenders.js';
import { CycleState } from '../src/framework/cycle-state.js';
import { everywhere } from '../src/framework/extension-points.js';
import { Framework } from '../src/framework/framework.js';
import { Nominator } from '../src/framework/nominator.js';
import type { PodDisruptionBudget } from '../src/framework/listed-kinds.js';
import type { Listers, Plugin, PluginContext, PluginEntry } from '../src/framework/plugin.js';
import type { PodInfo } from '../src/framework/pod-info.js';
import { isSuccess, success } from '../src/framework/status.js';
import { FakeClock } from './fake-clock.js';
import type { NodeBuilder, PodBuilder } from './builders.js';

type Contents = { readonly [K in keyof Listers]?: readonly KubeObject[] };

export interface World {
  readonly nodes?: readonly NodeBuilder[];
  /** On their nodes. */
  readonly pods?: readonly PodBuilder[];
  readonly objects?: Contents;
  readonly resourceClaims?: readonly ResourceClaim[];
  readonly args?: unknown;
}

function indexer(objects: readonly KubeObject[] = []): Indexer<never> {
  const filled = new Indexer<KubeObject>();
  for (const object of objects) filled.set(object);
  return filled as unknown as Indexer<never>;
}

export function listersOf(contents: Contents = {}): Listers {
  return {
    pods: indexer(contents.pods),
    nodes: indexer(contents.nodes),
    namespaces: indexer(contents.namespaces),
    claims: indexer(contents.claims),
    volumes: indexer(contents.volumes),
    storageClasses: indexer(contents.storageClasses),
    csiNodes: indexer(contents.csiNodes),
    csiDrivers: indexer(contents.csiDrivers),
    storageCapacities: indexer(contents.storageCapacities),
    budgets: indexer(contents.budgets),
    services: indexer(contents.services),
    replicaSets: indexer(contents.replicaSets),
    statefulSets: indexer(contents.statefulSets),
    replicationControllers: indexer(contents.replicationControllers),
    deviceClasses: indexer(contents.deviceClasses),
    resourceSlices: indexer(contents.resourceSlices),
  };
}

/** What plugins are built from, without a cluster. */
export function contextOf(own: Partial<PluginContext>): PluginContext {
  return {
    schedulerName: 'default-scheduler',
    client: undefined as unknown as PluginContext['client'],
    nodes: new SchedulerCache(new FakeClock()),
    listers: listersOf(),
    ledger: new ClaimLedger(),
    nominator: new Nominator(),
    events: noActions,
    clock: new FakeClock(),
    random: { next: () => 0, uuid: () => 'uuid' },
    logger: silentLogger,
    preempted: () => undefined,
    attempted: () => undefined,
    deviceWaited: () => undefined,
    volumeStageFailed: () => undefined,
    claimCreated: () => undefined,
    extenders: new Extenders([], silentLogger),
    filters: () => {
      throw new TypeError('there is no profile');
    },
    ...own,
  };
}

/** Some plugins over a small cluster, without an API server. */
export class PluginBench {
  readonly cache = new SchedulerCache(new FakeClock());
  readonly nominator = new Nominator();
  readonly ledger = new ClaimLedger();
  readonly framework: Framework;
  readonly plugins: readonly Plugin[];
  readonly budgets: readonly PodDisruptionBudget[];

  constructor(
    entries: readonly PluginEntry[],
    { nodes, pods, objects, resourceClaims, args }: World,
  ) {
    for (const each of nodes ?? []) this.cache.setNode(each.build());
    for (const each of resourceClaims ?? []) this.ledger.observe(each);
    for (const each of pods ?? []) this.cache.setPod(each.info());
    const listers = listersOf(objects);
    this.budgets = listers.budgets.list();
    const context = contextOf({
      nodes: this.cache,
      listers,
      nominator: this.nominator,
      ledger: this.ledger,
      filters: () => this.framework,
    });
    this.plugins = entries.map((entry) => entry.create(context, args));
    const weighted = this.plugins.map((plugin, i) => ({ plugin, weight: entries[i]?.weight ?? 1 }));
    this.framework = new Framework({
      schedulerName: 'default-scheduler',
      plugins: everywhere(weighted),
      nominator: this.nominator,
      nodes: this.cache,
    });
  }

  /** '' for a node that fits, else the reasons; for all nodes when PreFilter refuses. */
  verdicts(pod: PodInfo): Record<string, string> {
    const state = new CycleState();
    const { status, nodeNames } = this.framework.preFilter(state, pod);
    const verdicts: Record<string, string> = {};
    for (const node of this.cache.list()) {
      const named = !nodeNames || nodeNames.has(node.name);
      const result = isSuccess(status)
        ? named
          ? this.framework.filter(state, pod, node)
          : { ...success, reasons: ['not named'] }
        : status;
      verdicts[node.name] = result.reasons.join(', ');
    }
    return verdicts;
  }

  /** Weighted scores by node. */
  scores(pod: PodInfo): Record<string, number> {
    const scores = this.framework.scores(new CycleState(), pod, this.cache.list());
    return Object.fromEntries(scores.map(({ node, score }) => [node.name, score]));
  }
}
