import type { KubeObject } from '@orrery/apimachinery';
import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuota,
  ResourceRef,
  ScopedResourceSelectorRequirement,
} from '@orrery/api';
import { podAmounts } from '@orrery/api';

type Scope = (pod: Pod) => boolean;

const isBestEffort: Scope = (pod) =>
  podAmounts(pod, 'requests').size === 0 && podAmounts(pod, 'limits').size === 0;
const isTerminating: Scope = (pod) => (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
const classOf = (pod: Pod): string => pod.spec?.priorityClassName ?? '';

/** Whether a term of (anti-)affinity looks at pods of other namespaces. */
const looksFurther = ({ namespaces = [], namespaceSelector }: PodAffinityTerm): boolean =>
  namespaces.length > 0 || namespaceSelector !== undefined;

const looksAcross: Scope = ({ spec }) => {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((affinity) => {
    const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return [...required, ...preferred.map((one) => one.podAffinityTerm)].some(looksFurther);
  });
};

const SCOPES: Readonly<Record<string, Scope>> = {
  BestEffort: isBestEffort,
  NotBestEffort: (pod) => !isBestEffort(pod),
  Terminating: isTerminating,
  NotTerminating: (pod) => !isTerminating(pod),
  PriorityClass: (pod) => classOf(pod) !== '',
  CrossNamespacePodAffinity: looksAcross,
};

/** Claims have the one scope of their attributes class: the wanted, the present and the coming one. */
const ATTRIBUTES = 'VolumeAttributesClass';

function attributesOf({ spec, status }: PersistentVolumeClaim): string[] {
  return [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].flatMap((name) => (name ? [name] : []));
}

function compares(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  found: readonly string[],
): boolean {
  switch (operator) {
    case 'In':
      return found.some((name) => values.includes(name));
    case 'NotIn':
      return !found.some((name) => values.includes(name));
    case 'Exists':
      return found.length > 0;
    default:
      return found.length === 0;
  }
}

function fitsPod(pod: Pod, requirement: ScopedResourceSelectorRequirement): boolean {
  if (requirement.scopeName !== 'PriorityClass')
    return SCOPES[requirement.scopeName]?.(pod) ?? false;
  const name = classOf(pod);
  return compares(requirement, name === '' ? [] : [name]);
}

/** Whether a quota counts this object: one with scopes counts pods, or claims, alone. */
export function isInScope(quota: ResourceQuota, ref: ResourceRef, object: KubeObject): boolean {
  const { scopes = [], scopeSelector } = quota.spec ?? {};
  const selected = scopeSelector?.matchExpressions ?? [];
  if (scopes.length === 0 && selected.length === 0) return true;
  if (ref.group !== '') return false;
  if (ref.plural === 'persistentvolumeclaims') {
    const found = attributesOf(object as PersistentVolumeClaim);
    return (
      scopes.every((scope) => scope === ATTRIBUTES && found.length > 0) &&
      selected.every((one) => one.scopeName === ATTRIBUTES && compares(one, found))
    );
  }
  if (ref.plural !== 'pods') return false;
  const pod = object as Pod;
  return (
    scopes.every((scope) => SCOPES[scope]?.(pod) ?? false) &&
    selected.every((requirement) => fitsPod(pod, requirement))
  );
}
