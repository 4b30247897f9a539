import { ConfigError } from '@orrery/component';
import type { Random } from '@orrery/component';
import type { AdmissionPlugin, ResourceStore } from '@orrery/registry';
import type { ClusterViews } from '../live-view/cluster-views.js';
import { DefaultIngressClass } from './default-ingress-class/default-ingress-class.plugin.js';
import { DefaultStorageClass } from './default-storage-class/default-storage-class.plugin.js';
import { DefaultTolerationSeconds } from './default-toleration-seconds/default-toleration-seconds.plugin.js';
import { LimitRanger } from './limit-ranger/limit-ranger.plugin.js';
import { NamespaceLifecycle } from './namespace-lifecycle/namespace-lifecycle.plugin.js';
import { NodeRestriction } from './node-restriction/node-restriction.plugin.js';
import { Priority } from './priority/priority.plugin.js';
import { ResourceQuotaPlugin } from './resource-quota/resource-quota.plugin.js';
import { RuntimeClassPlugin } from './runtime-class/runtime-class.plugin.js';
import { ServiceAccountPlugin } from './service-account/service-account.plugin.js';
import { StorageObjectInUseProtection } from './storage-object-in-use-protection/storage-object-in-use-protection.plugin.js';
import type { Webhooks } from './webhook/create-webhooks.js';
import { TaintNodesByCondition } from './taint-nodes-by-condition/taint-nodes-by-condition.plugin.js';

export interface PluginDeps {
  readonly views: ClusterViews;
  readonly random: Random;
  readonly webhooks: Webhooks;
  store(this: void, group: string, version: string, plural: string): ResourceStore;
}

interface PluginEntry {
  readonly name: string;
  readonly onByDefault: boolean;
  create(deps: PluginDeps): AdmissionPlugin;
}

const on = (name: string, create: PluginEntry['create']): PluginEntry => ({
  name,
  onByDefault: true,
  create,
});
const off = (name: string, create: PluginEntry['create']): PluginEntry => ({
  name,
  onByDefault: false,
  create,
});

/** Every plugin that is modelled, in upstream's order (k8s pkg/kubeapiserver/options/plugins.go:AllOrderedPlugins). */
export const admissionPlugins: readonly PluginEntry[] = [
  on('NamespaceLifecycle', ({ views }) => new NamespaceLifecycle(views.namespaces)),
  on('LimitRanger', ({ views }) => new LimitRanger(views.limitRanges)),
  on('ServiceAccount', (d) => new ServiceAccountPlugin(d.views.serviceAccounts, d.random)),
  off('NodeRestriction', ({ views }) => new NodeRestriction(views.pods)),
  on('TaintNodesByCondition', () => new TaintNodesByCondition()),
  on('Priority', ({ views }) => new Priority(views.priorityClasses)),
  on('DefaultTolerationSeconds', () => new DefaultTolerationSeconds()),
  on('DefaultStorageClass', ({ views }) => new DefaultStorageClass(views.storageClasses)),
  on('StorageObjectInUseProtection', () => new StorageObjectInUseProtection()),
  on('RuntimeClass', ({ views }) => new RuntimeClassPlugin(views.runtimeClasses)),
  on('DefaultIngressClass', ({ views }) => new DefaultIngressClass(views.ingressClasses)),
  on('MutatingAdmissionWebhook', ({ webhooks }) => webhooks.mutating),
  on('ValidatingAdmissionWebhook', ({ webhooks }) => webhooks.validating),
  on(
    'ResourceQuota',
    ({ views, store }) =>
      new ResourceQuotaPlugin({
        quotas: views.resourceQuotas,
        store: () => store('', 'v1', 'resourcequotas'),
      }),
  ),
];

/** The plugins that the flags leave on, in order. Throws ConfigError for a name that is not modelled. */
export function chooseAdmissionPlugins(
  enabled: readonly string[],
  disabled: readonly string[],
  deps: PluginDeps,
): AdmissionPlugin[] {
  const known = new Set(admissionPlugins.map((plugin) => plugin.name));
  const unknown = enabled.find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new ConfigError(
      `--enable-admission-plugins: plugin ${JSON.stringify(unknown)} is unknown`,
    );
  return admissionPlugins
    .filter(
      (one) => !disabled.includes(one.name) && (one.onByDefault || enabled.includes(one.name)),
    )
    .map((one) => one.create(deps));
}
