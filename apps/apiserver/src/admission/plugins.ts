import { ConfigError } from '@orrery/component';
import type { Clock, Metrics, Random } from '@orrery/component';
import type { KindDescriptor } from '@orrery/api';
import type { Authorizer } from '../filters/authorization.js';
import type { PluginConfigurations } from './admission-configuration.js';
import type { AdmissionPlugin, ResourceStore } from '@orrery/registry';
import type { ClusterViews } from '../live-view/cluster-views.js';
import { alwaysAdmit, alwaysDeny } from './always-admit/always-admit.plugin.js';
import { AlwaysPullImages } from './always-pull-images/always-pull-images.plugin.js';
import { CertificateApproval } from './certificate-signing-request/certificate-approval.plugin.js';
import { CertificateSigning } from './certificate-signing-request/certificate-signing.plugin.js';
import { CertificateSubjectRestriction } from './certificate-signing-request/certificate-subject-restriction.plugin.js';
import { ClusterTrustBundleAttest } from './certificate-signing-request/cluster-trust-bundle-attest.plugin.js';
import { DenyServiceExternalIps } from './deny-service-external-ips/deny-service-external-ips.plugin.js';
import { EventRateLimit, readEventLimits } from './event-rate-limit/event-rate-limit.plugin.js';
import { ExtendedResourceToleration } from './extended-resource-toleration/extended-resource-toleration.plugin.js';
import { LimitPodHardAntiAffinityTopology } from './limit-pod-hard-anti-affinity-topology/limit-pod-hard-anti-affinity-topology.plugin.js';
import { NamespaceAutoProvision } from './namespace-auto-provision/namespace-auto-provision.plugin.js';
import { NamespaceExists } from './namespace-exists/namespace-exists.plugin.js';
import { OwnerReferencesPermissionEnforcement } from './owner-references-permission-enforcement/owner-references-permission-enforcement.plugin.js';
import { PersistentVolumeClaimResize } from './persistent-volume-claim-resize/persistent-volume-claim-resize.plugin.js';
import {
  PodNodeSelector,
  readNodeSelectors,
} from './pod-node-selector/pod-node-selector.plugin.js';
import { readPodSecurityConfiguration } from './pod-security/configuration.js';
import { PodSecurityMetrics } from './pod-security/pod-security-metrics.js';
import { PodSecurity } from './pod-security/pod-security.plugin.js';
import {
  PodTolerationRestriction,
  readTolerationDefaults,
} from './pod-toleration-restriction/pod-toleration-restriction.plugin.js';
import { PodTopologyLabels } from './pod-topology-labels/pod-topology-labels.plugin.js';
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
import type { Policies } from './policy/create-policies.js';
import type { Webhooks } from './webhook/create-webhooks.js';
import { TaintNodesByCondition } from './taint-nodes-by-condition/taint-nodes-by-condition.plugin.js';

export interface PluginDeps {
  readonly views: ClusterViews;
  readonly random: Random;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly webhooks: Webhooks;
  readonly policies: Pick<Policies, 'mutating' | 'validating'>;
  readonly authorizer: Authorizer;
  /** Seconds that pods stay on a node that is in trouble. */
  readonly tolerations: { readonly notReady: number; readonly unreachable: number };
  /** What --admission-control-config-file says about a plugin. */
  readonly configuration: PluginConfigurations;
  /** Every kind that is served now. */
  kinds(this: void): readonly KindDescriptor[];
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
  off('AlwaysAdmit', () => alwaysAdmit),
  off(
    'NamespaceAutoProvision',
    ({ views, store, clock }) =>
      new NamespaceAutoProvision(views.namespaces, () => store('', 'v1', 'namespaces'), clock),
  ),
  on('NamespaceLifecycle', ({ views }) => new NamespaceLifecycle(views.namespaces)),
  off('NamespaceExists', ({ views }) => new NamespaceExists(views.namespaces)),
  off('LimitPodHardAntiAffinityTopology', () => new LimitPodHardAntiAffinityTopology()),
  on('LimitRanger', ({ views }) => new LimitRanger(views.limitRanges)),
  on('ServiceAccount', (d) => new ServiceAccountPlugin(d.views.serviceAccounts, d.random)),
  off('NodeRestriction', ({ views }) => new NodeRestriction(views.pods, views.nodes)),
  on('TaintNodesByCondition', () => new TaintNodesByCondition()),
  off('AlwaysPullImages', () => new AlwaysPullImages()),
  on('PodSecurity', ({ views, configuration, metrics }) => {
    const { value, source } = configuration('PodSecurity');
    return new PodSecurity({
      namespaces: views.namespaces,
      pods: views.pods,
      configuration: readPodSecurityConfiguration(value, source),
      metrics: new PodSecurityMetrics(metrics),
    });
  }),
  off(
    'PodNodeSelector',
    ({ views, configuration }) =>
      new PodNodeSelector(views.namespaces, readNodeSelectors(configuration('PodNodeSelector'))),
  ),
  on('Priority', ({ views }) => new Priority(views.priorityClasses)),
  on('DefaultTolerationSeconds', (d) => new DefaultTolerationSeconds(d.tolerations)),
  off(
    'PodTolerationRestriction',
    ({ views, configuration }) =>
      new PodTolerationRestriction(
        views.namespaces,
        readTolerationDefaults(configuration('PodTolerationRestriction')),
      ),
  ),
  off(
    'EventRateLimit',
    ({ configuration, clock }) =>
      new EventRateLimit(readEventLimits(configuration('EventRateLimit')), clock),
  ),
  off('ExtendedResourceToleration', () => new ExtendedResourceToleration()),
  on('DefaultStorageClass', ({ views }) => new DefaultStorageClass(views.storageClasses)),
  on('StorageObjectInUseProtection', () => new StorageObjectInUseProtection()),
  off(
    'OwnerReferencesPermissionEnforcement',
    ({ authorizer, kinds }) => new OwnerReferencesPermissionEnforcement(authorizer, kinds),
  ),
  on(
    'PersistentVolumeClaimResize',
    ({ views }) => new PersistentVolumeClaimResize(views.storageClasses),
  ),
  on('RuntimeClass', ({ views }) => new RuntimeClassPlugin(views.runtimeClasses)),
  on('CertificateApproval', ({ authorizer }) => new CertificateApproval(authorizer)),
  on('CertificateSigning', ({ authorizer }) => new CertificateSigning(authorizer)),
  on('ClusterTrustBundleAttest', ({ authorizer }) => new ClusterTrustBundleAttest(authorizer)),
  on('CertificateSubjectRestriction', () => new CertificateSubjectRestriction()),
  on('DefaultIngressClass', ({ views }) => new DefaultIngressClass(views.ingressClasses)),
  off('DenyServiceExternalIPs', () => new DenyServiceExternalIps()),
  on('PodTopologyLabels', ({ views }) => new PodTopologyLabels(views.nodes)),
  on('MutatingAdmissionPolicy', ({ policies }) => policies.mutating),
  on('MutatingAdmissionWebhook', ({ webhooks }) => webhooks.mutating),
  on('ValidatingAdmissionPolicy', ({ policies }) => policies.validating),
  on('ValidatingAdmissionWebhook', ({ webhooks }) => webhooks.validating),
  on(
    'ResourceQuota',
    ({ views, store, clock }) =>
      new ResourceQuotaPlugin({
        quotas: views.resourceQuotas,
        store: () => store('', 'v1', 'resourcequotas'),
        clock,
      }),
  ),
  off('AlwaysDeny', () => alwaysDeny),
];

/** Throws ConfigError for a name that is no plugin's, and for one that is both enabled and disabled. */
export function checkPluginNames(enabled: readonly string[], disabled: readonly string[]): void {
  const known = new Set(admissionPlugins.map((plugin) => plugin.name));
  for (const [flag, names] of [
    ['enable', enabled],
    ['disable', disabled],
  ] as const) {
    const unknown = names.find((name) => !known.has(name));
    if (unknown !== undefined)
      throw new ConfigError(
        `--${flag}-admission-plugins: plugin ${JSON.stringify(unknown)} is unknown`,
      );
  }
  const both = enabled.filter((name) => disabled.includes(name));
  if (both.length > 0)
    throw new ConfigError(
      `[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`,
    );
}

/** The plugins that the flags leave on, in order. */
export function chooseAdmissionPlugins(
  enabled: readonly string[],
  disabled: readonly string[],
  deps: PluginDeps,
): AdmissionPlugin[] {
  checkPluginNames(enabled, disabled);
  return admissionPlugins
    .filter(
      (one) => !disabled.includes(one.name) && (one.onByDefault || enabled.includes(one.name)),
    )
    .map((one) => one.create(deps));
}
