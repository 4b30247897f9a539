import type { KubeObject } from '@orrery/apimachinery';
import type {
  Pod,
  ResourceQuota,
  ResourceRef,
  ScopedResourceSelectorRequirement,
} from '@orrery/api';
import { podAmounts } from './pod-amounts.js';

type Scope = (pod: Pod) => boolean;

const isBestEffort: Scope = (pod) =>
  podAmounts(pod, 'requests').size === 0 && podAmounts(pod, 'limits').size === 0;
const isTerminating: Scope = (pod) => (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
const classOf = (pod: Pod): string => pod.spec?.priorityClassName ?? '';

const SCOPES: Readonly<Record<string, Scope>> = {
  BestEffort: isBestEffort,
  NotBestEffort: (pod) => !isBestEffort(pod),
  Terminating: isTerminating,
  NotTerminating: (pod) => !isTerminating(pod),
  PriorityClass: (pod) => classOf(pod) !== '',
};

function fits(pod: Pod, requirement: ScopedResourceSelectorRequirement): boolean {
  const { scopeName, operator, values = [] } = requirement;
  if (scopeName !== 'PriorityClass') return SCOPES[scopeName]?.(pod) ?? false;
  if (operator === 'In') return values.includes(classOf(pod));
  if (operator === 'NotIn') return !values.includes(classOf(pod));
  return operator === 'Exists' ? classOf(pod) !== '' : classOf(pod) === '';
}

/** Whether a quota counts this object: one with scopes counts pods alone. */
export function isInScope(quota: ResourceQuota, ref: ResourceRef, object: KubeObject): boolean {
  const { scopes = [], scopeSelector } = quota.spec ?? {};
  if (scopes.length === 0 && !scopeSelector) return true;
  if (ref.group !== '' || ref.plural !== 'pods') return false;
  const pod = object as Pod;
  const selected = scopeSelector?.matchExpressions ?? [];
  return (
    scopes.every((scope) => SCOPES[scope]?.(pod) ?? false) &&
    selected.every((requirement) => fits(pod, requirement))
  );
}
