import type { PolicyRule } from '@orrery/api';
import type { RequestInfo } from '../filters/request-info.js';

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list?.includes(value) ?? false;
const hasOrAll = (list: readonly string[] | undefined, value: string): boolean =>
  has(list, '*') || has(list, value);

const first = (list: readonly string[] | undefined): string => list?.[0] ?? '';

function resourceMatches(rule: PolicyRule, resource: string, subresource: string): boolean {
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  return (
    hasOrAll(rule.resources, combined) ||
    (subresource !== '' && has(rule.resources, `*/${subresource}`))
  );
}

function urlMatches(rule: PolicyRule, path: string): boolean {
  return (rule.nonResourceURLs ?? []).some(
    (url) =>
      url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
  );
}

/** Whether one rule lets the request through (k8s pkg/apis/rbac/v1/evaluation_helpers.go). */
export function ruleAllows(rule: PolicyRule, info: RequestInfo): boolean {
  if (!hasOrAll(rule.verbs, info.verb)) return false;
  if (!info.isResource) return urlMatches(rule, info.path);
  const named = rule.resourceNames ?? [];
  return (
    hasOrAll(rule.apiGroups, info.group) &&
    resourceMatches(rule, info.resource, info.subresource) &&
    (named.length === 0 || named.includes(info.name))
  );
}

/** Splits a rule into rules of one group, resource, name, URL and verb each. */
function breakdown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? [])
      parts.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const group of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? [])
        for (const name of rule.resourceNames?.length ? rule.resourceNames : [undefined])
          parts.push({
            verbs: [verb],
            apiGroups: [group],
            resources: [resource],
            ...(name === undefined ? {} : { resourceNames: [name] }),
          });
  }
  return parts;
}

function nameCovered(owned: readonly string[], name: string | undefined): boolean {
  return owned.length === 0 || (name !== undefined && owned.includes(name));
}

function partCovers(owner: PolicyRule, part: PolicyRule): boolean {
  if (!hasOrAll(owner.verbs, first(part.verbs))) return false;
  const url = part.nonResourceURLs?.[0];
  if (url !== undefined) return urlMatches(owner, url);
  const [resource = '', subresource = ''] = first(part.resources).split('/');
  return (
    hasOrAll(owner.apiGroups, first(part.apiGroups)) &&
    resourceMatches(owner, resource, subresource) &&
    nameCovered(owner.resourceNames ?? [], part.resourceNames?.[0])
  );
}

/** The parts of `wanted` that no rule of `owned` covers; empty = no escalation (k8s validation/rule.go Covers). */
export function uncovered(
  owned: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] {
  return wanted
    .flatMap(breakdown)
    .filter((part) => !owned.some((owner) => partCovers(owner, part)));
}

const LABELS = [
  ['apiGroups', 'APIGroups'],
  ['resources', 'Resources'],
  ['resourceNames', 'ResourceNames'],
  ['nonResourceURLs', 'NonResourceURLs'],
  ['verbs', 'Verbs'],
] as const;

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`: how messages print a rule. */
export function printRule(rule: PolicyRule): string {
  const fields = LABELS.flatMap(([key, label]) => {
    const values = rule[key] ?? [];
    const quoted = values.map((value) => JSON.stringify(value)).join(' ');
    return values.length > 0 ? [`${label}:[${quoted}]`] : [];
  });
  return `{${fields.join(', ')}}`;
}

/** Parts that differ only in the verb as one rule: shorter messages. */
export function compact(parts: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  for (const { verbs, ...rest } of parts) {
    const key = JSON.stringify(rest);
    const known = merged.get(key);
    merged.set(key, { ...rest, verbs: [...(known?.verbs ?? []), ...verbs] });
  }
  return [...merged.values()];
}
