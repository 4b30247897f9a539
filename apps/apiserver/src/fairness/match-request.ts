import type { FlowSchema } from '@orrery/api';
import type { UserInfo } from '@orrery/registry';
import type { RequestInfo } from '../filters/request-info.js';

type Rule = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];
type Subject = NonNullable<Rule['subjects']>[number];
type ResourcePolicyRule = NonNullable<Rule['resourceRules']>[number];
type NonResourcePolicyRule = NonNullable<Rule['nonResourceRules']>[number];

const has = (list: readonly string[] | undefined, wanted: string): boolean =>
  list?.some((one) => one === '*' || one === wanted) ?? false;

function matchesSubject({ kind, user, group, serviceAccount }: Subject, who: UserInfo): boolean {
  if (kind === 'User') return user?.name === '*' || user?.name === who.name;
  if (kind === 'Group') return group?.name === '*' || who.groups.includes(group?.name ?? '');
  const { namespace = '', name = '' } = serviceAccount ?? {};
  const prefix = `system:serviceaccount:${namespace}:`;
  return name === '*' ? who.name.startsWith(prefix) : who.name === `${prefix}${name}`;
}

function matchesResource(rule: ResourcePolicyRule, info: RequestInfo): boolean {
  const { verb, group, resource, subresource, namespace } = info;
  const asked = subresource === '' ? resource : `${resource}/${subresource}`;
  const isHere = namespace === '' ? rule.clusterScope === true : has(rule.namespaces, namespace);
  return (
    isHere && has(rule.verbs, verb) && has(rule.apiGroups, group) && has(rule.resources, asked)
  );
}

const matchesPath = (
  { verbs, nonResourceURLs }: NonResourcePolicyRule,
  info: RequestInfo,
): boolean =>
  has(verbs, info.verb) &&
  nonResourceURLs.some((url) =>
    url.endsWith('*') ? info.path.startsWith(url.slice(0, -1)) : url === info.path,
  );

/** Whether one of the schema's rules is about this request of this user (k8s apiserver util/flowcontrol/rule.go). */
export function matchesSchema({ spec }: FlowSchema, who: UserInfo, info: RequestInfo): boolean {
  return (spec?.rules ?? []).some(
    ({ subjects, resourceRules, nonResourceRules }) =>
      subjects.some((subject) => matchesSubject(subject, who)) &&
      (info.isResource
        ? (resourceRules ?? []).some((rule) => matchesResource(rule, info))
        : (nonResourceRules ?? []).some((rule) => matchesPath(rule, info))),
  );
}

/** Whose turn it is within a schema: requests with the same word share their queues. */
export function distinguisherOf({ spec }: FlowSchema, who: UserInfo, info: RequestInfo): string {
  const type = spec?.distinguisherMethod?.type;
  return type === 'ByUser' ? who.name : type === 'ByNamespace' ? info.namespace : '';
}
