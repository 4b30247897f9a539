import type { KubeObject, Quantity } from '@orrery/apimachinery';
import { addQuantities, parseQuantity, zeroQuantity } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, Pod, ResourceClaim, ResourceRef, Service } from '@orrery/api';
import { podAmounts, resources } from '@orrery/api';
import { isTerminated } from '../../pods/pod-state.js';

/** Quantities by the name of what is counted. */
export type Amounts = Map<string, Quantity>;

/** Every built-in kind that a quota can count. Events are left out, as upstream does. */
export const COUNTED: readonly ResourceRef[] = [
  resources.pods,
  resources.services,
  resources.configmaps,
  resources.secrets,
  resources.persistentvolumeclaims,
  resources.replicationcontrollers,
  resources.resourcequotas,
  resources.serviceaccounts,
  resources.endpoints,
  resources.limitranges,
  resources.podtemplates,
  resources.controllerrevisions,
  resources.deployments,
  resources.replicasets,
  resources.statefulsets,
  resources.daemonsets,
  resources.jobs,
  resources.cronjobs,
  resources.horizontalpodautoscalers,
  resources.leases,
  resources.endpointslices,
  resources.ingresses,
  resources.networkpolicies,
  resources.poddisruptionbudgets,
  resources.roles,
  resources.rolebindings,
  resources.resourceclaims,
  resources.resourceclaimtemplates,
  resources.csistoragecapacities,
] as readonly ResourceRef[];

/** Kinds of the core group that a quota may name without count/. */
const PLAIN = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);

const ONE = parseQuantity('1');
const count = (number: number): Quantity => parseQuantity(String(number));

export const countName = ({ group, plural }: ResourceRef): string =>
  group === '' ? `count/${plural}` : `count/${plural}.${group}`;

/** Pods that ended, or should long have been gone, use nothing (k8s pkg/quota/v1/evaluator/core/pods.go: QuotaV1Pod). */
export function usesQuota(pod: Pod, now: number): boolean {
  if (isTerminated(pod)) return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (!deletionTimestamp || deletionGracePeriodSeconds === undefined) return true;
  return now <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function podUsage(pod: Pod, now: number): Amounts {
  if (!usesQuota(pod, now)) return new Map();
  const usage: Amounts = new Map([['pods', ONE]]);
  for (const [name, value] of podAmounts(pod, 'requests')) {
    usage.set(`requests.${name}`, value);
    if (['cpu', 'memory', 'ephemeral-storage'].includes(name)) usage.set(name, value);
  }
  for (const [name, value] of podAmounts(pod, 'limits')) usage.set(`limits.${name}`, value);
  return usage;
}

function serviceUsage({ spec }: Service): Amounts {
  const ports = spec?.ports ?? [];
  const usage: Amounts = new Map([['services', ONE]]);
  if (spec?.type === 'NodePort') usage.set('services.nodeports', count(ports.length));
  if (spec?.type !== 'LoadBalancer') return usage;
  const allocated = ports.filter(
    ({ nodePort }) => spec.allocateLoadBalancerNodePorts !== false || nodePort,
  );
  usage.set('services.nodeports', count(allocated.length));
  return usage.set('services.loadbalancers', ONE);
}

function claimUsage({ spec, status }: PersistentVolumeClaim): Amounts {
  const usage: Amounts = new Map([['persistentvolumeclaims', ONE]]);
  const asked = spec?.resources?.requests?.['storage'];
  const allocated = status?.allocatedResources?.['storage'];
  const amounts = [asked, allocated]
    .filter((text) => text !== undefined)
    .map((text) => parseQuantity(text));
  const most = amounts.reduce((a, b) => (b.nanos > a.nanos ? b : a), parseQuantity('0'));
  const name = spec?.storageClassName;
  if (amounts.length > 0) usage.set('requests.storage', most);
  if (!name) return usage;
  usage.set(`${name}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE);
  if (amounts.length > 0) usage.set(`${name}.storageclass.storage.k8s.io/requests.storage`, most);
  return usage;
}

/** Devices that a claim asks for, by class (k8s pkg/quota/v1/evaluator/core/resource_claims.go). */
function deviceUsage({ spec }: ResourceClaim): Amounts {
  const usage: Amounts = new Map();
  for (const { exactly, firstAvailable } of spec.devices?.requests ?? []) {
    const choices = exactly ? [exactly] : (firstAvailable ?? []);
    const most = new Map<string, number>();
    for (const { deviceClassName, allocationMode, count: asked } of choices) {
      // Nobody knows how many "all" are: upstream reckons with the most that a claim can have.
      const devices = allocationMode === 'All' ? MOST_DEVICES : (asked ?? 1);
      most.set(deviceClassName, Math.max(devices, most.get(deviceClassName) ?? 0));
    }
    for (const [name, devices] of most) {
      const key = `${name}.deviceclass.resource.k8s.io/devices`;
      usage.set(key, addQuantities(usage.get(key) ?? zeroQuantity, count(devices)));
    }
  }
  return usage;
}

const MOST_DEVICES = 32;

/** What one object adds to a quota (k8s pkg/quota/v1/evaluator/core). */
export function usageOf(ref: ResourceRef, object: KubeObject, now: number): Amounts {
  let usage: Amounts = new Map();
  if (ref.group === '' && ref.plural === 'pods') usage = podUsage(object as Pod, now);
  else if (ref.group === '' && ref.plural === 'services') usage = serviceUsage(object as Service);
  else if (ref.group === '' && ref.plural === 'persistentvolumeclaims')
    usage = claimUsage(object as PersistentVolumeClaim);
  else if (ref.group === 'resource.k8s.io' && ref.plural === 'resourceclaims')
    usage = deviceUsage(object as ResourceClaim);
  else if (ref.group === '' && PLAIN.has(ref.plural)) usage.set(ref.plural, ONE);
  return usage.set(countName(ref), ONE);
}
