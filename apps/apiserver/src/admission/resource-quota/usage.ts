import {
  compareQuantities,
  parseQuantity,
  subQuantities,
  zeroQuantity,
} from '@orrery/apimachinery';
import type { KubeObject, Quantity } from '@orrery/apimachinery';
import type {
  Amounts,
  KindDescriptor,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Service,
} from '@orrery/api';
import { podAmounts } from '@orrery/api';

const ONE = parseQuantity('1');

/** Kinds of the core group that a quota may name without count/. */
const LEGACY = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);

function podUsage(pod: Pod): Map<string, Quantity> {
  const usage = new Map<string, Quantity>([['pods', ONE]]);
  for (const [name, value] of podAmounts(pod, 'requests')) {
    usage.set(`requests.${name}`, value);
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') usage.set(name, value);
  }
  for (const [name, value] of podAmounts(pod, 'limits')) usage.set(`limits.${name}`, value);
  return usage;
}

function serviceUsage({ spec }: Service): Map<string, Quantity> {
  const usage = new Map<string, Quantity>([['services', ONE]]);
  const ports = parseQuantity(String(spec?.ports?.length ?? 0));
  if (spec?.type === 'LoadBalancer') usage.set('services.loadbalancers', ONE);
  if (spec?.type === 'NodePort' || spec?.type === 'LoadBalancer')
    usage.set('services.nodeports', ports);
  return usage;
}

function claimUsage({ spec }: PersistentVolumeClaim): Map<string, Quantity> {
  const usage = new Map<string, Quantity>([['persistentvolumeclaims', ONE]]);
  const storage = spec?.resources?.requests?.['storage'];
  if (storage === undefined) return usage;
  const amount = parseQuantity(storage as string);
  usage.set('requests.storage', amount);
  const name = spec?.storageClassName;
  if (name) {
    usage.set(`${name}.storageclass.storage.k8s.io/requests.storage`, amount);
    usage.set(`${name}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE);
  }
  return usage;
}

/** What one object adds to a quota (k8s pkg/quota/v1/evaluator/core). */
export function usageOf(kind: KindDescriptor, object: KubeObject): Amounts {
  const isCore = kind.group === '';
  let usage = new Map<string, Quantity>();
  if (isCore && kind.plural === 'pods') usage = podUsage(object as Pod);
  else if (isCore && kind.plural === 'services') usage = serviceUsage(object as Service);
  else if (isCore && kind.plural === 'persistentvolumeclaims')
    usage = claimUsage(object as PersistentVolumeClaim);
  else if (isCore && LEGACY.has(kind.plural)) usage.set(kind.plural, ONE);
  usage.set(isCore ? `count/${kind.plural}` : `count/${kind.plural}.${kind.group}`, ONE);
  return usage;
}

/** What an update adds to a quota; what it gives back the quota controller counts. */
export function addedUsage(kind: KindDescriptor, object: KubeObject, old: KubeObject): Amounts {
  const before = usageOf(kind, old);
  const added = new Map<string, Quantity>();
  for (const [name, value] of usageOf(kind, object)) {
    const delta = subQuantities(value, before.get(name) ?? zeroQuantity);
    if (compareQuantities(delta, zeroQuantity) > 0) added.set(name, delta);
  }
  return added;
}

/** Updates that may need more: of services, of claims, and of a pod's resources. */
export function mayGrow(kind: KindDescriptor, subresource: string): boolean {
  if (kind.group !== '') return false;
  if (kind.plural === 'pods') return subresource === 'resize';
  return subresource === '' && ['services', 'persistentvolumeclaims'].includes(kind.plural);
}

type Scope = (pod: Pod) => boolean;

const isBestEffort: Scope = (pod) =>
  podAmounts(pod, 'requests').size === 0 && podAmounts(pod, 'limits').size === 0;
const isTerminating: Scope = (pod) => (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;

const TERMS = [
  'requiredDuringSchedulingIgnoredDuringExecution',
  'preferredDuringSchedulingIgnoredDuringExecution',
] as const;

/** Affinity that looks at pods of other namespaces (k8s pkg/quota/v1/evaluator/core/pods.go:usesCrossNamespacePodAffinity). */
const crossesNamespaces: Scope = ({ spec }) =>
  [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].some((affinity) =>
    TERMS.some((field) =>
      (affinity?.[field] ?? []).some((term) => {
        const { namespaces = [], namespaceSelector } =
          'podAffinityTerm' in term ? term.podAffinityTerm : term;
        return namespaces.length > 0 || namespaceSelector !== undefined;
      }),
    ),
  );

const SCOPES: Readonly<Record<string, Scope>> = {
  BestEffort: isBestEffort,
  NotBestEffort: (pod) => !isBestEffort(pod),
  Terminating: isTerminating,
  NotTerminating: (pod) => !isTerminating(pod),
  PriorityClass: (pod) => (pod.spec?.priorityClassName ?? '') !== '',
  CrossNamespacePodAffinity: crossesNamespaces,
};

function classMatches(quota: ResourceQuota, pod: Pod): boolean {
  return (quota.spec?.scopeSelector?.matchExpressions ?? []).every((requirement) => {
    const { scopeName, operator, values = [] } = requirement;
    if (scopeName !== 'PriorityClass') return SCOPES[scopeName]?.(pod) ?? false;
    const name = pod.spec?.priorityClassName ?? '';
    if (operator === 'In') return values.includes(name);
    if (operator === 'NotIn') return !values.includes(name);
    return operator === 'Exists' ? name !== '' : name === '';
  });
}

/** Whether a quota counts this object; scopes speak of pods only. */
export function isInScope(quota: ResourceQuota, kind: KindDescriptor, object: KubeObject): boolean {
  const { scopes = [], scopeSelector } = quota.spec ?? {};
  if (scopes.length === 0 && !scopeSelector) return true;
  if (kind.group !== '' || kind.plural !== 'pods') return false;
  const pod = object as Pod;
  return scopes.every((scope) => SCOPES[scope]?.(pod) ?? false) && classMatches(quota, pod);
}
