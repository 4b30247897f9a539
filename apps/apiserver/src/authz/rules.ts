import type { PolicyRule } from '@orrery/api';
import { StatusError, finish } from '@orrery/apimachinery';
import type { Steps } from '@orrery/apimachinery';
import type { RequestInfo } from '../filters/request-info.js';

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list?.includes(value) ?? false;
const hasOrAll = (list: readonly string[] | undefined, value: string): boolean =>
  has(list, '*') || has(list, value);

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

/** Whether an owner's list holds all of these; `*` holds everything. */
function holdsAll(held: readonly string[] | undefined, wanted: readonly string[]): boolean {
  if (!held || has(held, '*')) return held !== undefined;
  if (wanted[0] !== undefined && !has(held, wanted[0])) return false;
  const all = new Set(held);
  return wanted.every((value) => all.has(value));
}

const isSubresource = (resource: string): boolean => resource.includes('/');

/** True when one rule covers all parts of another, which is seen without looking at each of them. */
function coversWhole(owner: PolicyRule, wanted: PolicyRule): boolean {
  const names = owner.resourceNames ?? [];
  const resources = wanted.resources ?? [];
  return (
    (wanted.nonResourceURLs ?? []).length === 0 &&
    holdsAll(owner.verbs, wanted.verbs) &&
    holdsAll(owner.apiGroups, wanted.apiGroups ?? []) &&
    holdsAll(owner.resources, resources) &&
    !resources.some(isSubresource) &&
    names.length === 0
  );
}

/** What of one verb, group and resource the rest of the owners leave open. */
function openNames(owned: readonly PolicyRule[], names: readonly string[]): (string | undefined)[] {
  if (owned.some(({ resourceNames = [] }) => resourceNames.length === 0)) return [];
  if (names.length === 0) return [undefined];
  const held = new Set(owned.flatMap(({ resourceNames = [] }) => resourceNames));
  return names.filter((name) => !held.has(name));
}

/** Parts that are looked at of what somebody wants to grant, and those that are told. */
const MAX_PARTS = 1_000_000;
const MAX_TOLD = 1000;

/** What one look for escalations shares. */
class Search {
  readonly open: PolicyRule[] = [];
  private looked = 0;

  constructor(private readonly maxTold: number) {}

  get isFull(): boolean {
    return this.open.length >= this.maxTold;
  }

  look(parts: number): void {
    this.looked += parts;
    if (this.maxTold < Infinity && this.looked > MAX_PARTS)
      throw new StatusError(
        413,
        'RequestEntityTooLarge',
        `Request entity too large: limit is ${MAX_PARTS} permissions of rules`,
      );
  }
}

function* searchResources(
  owned: readonly PolicyRule[],
  wanted: PolicyRule,
  verb: string,
  search: Search,
): Steps<void> {
  for (const group of wanted.apiGroups ?? []) {
    const ofGroup = owned.filter(({ apiGroups }) => hasOrAll(apiGroups, group));
    for (const combined of wanted.resources ?? []) {
      const [resource = '', subresource = ''] = combined.split('/');
      const names = wanted.resourceNames ?? [];
      search.look(Math.max(1, names.length));
      const left = ofGroup.filter((owner) => resourceMatches(owner, resource, subresource));
      for (const name of openNames(left, names))
        search.open.push({
          verbs: [verb],
          apiGroups: [group],
          resources: [combined],
          ...(name === undefined ? {} : { resourceNames: [name] }),
        });
      if (search.isFull) return;
      yield;
    }
  }
}

/**
 * The parts (of one group, resource, name or URL and verb each) of `wanted` that no rule of `owned` covers, the first 1,000
 * of them; empty = no escalation (k8s validation/rule.go Covers). 413 for more parts than can be looked at: three lists
 * multiply. In steps.
 */
export function* uncoveredSteps(
  owned: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
  maxTold = MAX_TOLD,
): Steps<PolicyRule[]> {
  const search = new Search(maxTold);
  for (const rule of wanted) {
    yield;
    if (owned.some((owner) => coversWhole(owner, rule))) continue;
    for (const verb of rule.verbs) {
      const ofVerb = owned.filter(({ verbs }) => hasOrAll(verbs, verb));
      for (const url of rule.nonResourceURLs ?? []) {
        search.look(1);
        if (!ofVerb.some((owner) => urlMatches(owner, url)))
          search.open.push({ verbs: [verb], nonResourceURLs: [url] });
        yield;
      }
      yield* searchResources(ofVerb, rule, verb, search);
      if (search.isFull) return search.open.slice(0, maxTold);
    }
  }
  return search.open;
}

/** All of them, at once: for rules that no client made. */
export const uncovered = (
  owned: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] => finish(uncoveredSteps(owned, wanted, Infinity));

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
