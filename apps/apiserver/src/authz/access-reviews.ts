import { newBadRequest } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { requestKinds } from '@orrery/api';
import type {
  LocalSubjectAccessReview,
  PolicyRule,
  RequestKind,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from '@orrery/api';
import type { UserInfo } from '@orrery/registry';
import type { Authorizer } from '../filters/authorization.js';
import type { RequestInfo } from '../filters/request-info.js';
import type { RequestKindHandler } from '../subresources.js';
import { pathAttributes, resourceAttributes } from './attributes.js';

type ReviewSpec = Pick<SubjectAccessReview['spec'], 'resourceAttributes' | 'nonResourceAttributes'>;

/** Rules that apply to a user, for SelfSubjectRulesReview; `incomplete` when an authorizer cannot list its own. */
export interface RuleLister {
  rulesFor(user: UserInfo, namespace: string): readonly PolicyRule[];
  /** What cannot be listed: authorizers that know no rules. */
  readonly unlisted?: readonly string[];
}

const GROUP = 'authorization.k8s.io';

/** The kind of that name among those that are only POSTed. */
export function requestKindOf(group: string, kind: string): RequestKind {
  const found = requestKinds.find((one) => one.group === group && one.kind === kind);
  if (!found) throw new Error(`no request kind ${group}/${kind}`);
  return found;
}

function infoOf(spec: ReviewSpec): RequestInfo {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (Boolean(resource) === Boolean(path))
    throw newBadRequest(
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  if (path) return pathAttributes(path.verb ?? '', path.path ?? '');
  return resourceAttributes({ verb: '', resource: '', ...resource });
}

const userOf = (spec: SubjectAccessReview['spec']): UserInfo => ({
  name: spec.user ?? '',
  groups: spec.groups ?? [],
  ...(spec.uid ? { uid: spec.uid } : {}),
  ...(spec.extra ? { extra: spec.extra } : {}),
});

async function answer<T extends { spec: ReviewSpec }>(
  authorizer: Authorizer,
  review: T,
  user: UserInfo,
): Promise<T & { status: { allowed: boolean; reason?: string } }> {
  const decision = await authorizer.authorize({ user, info: infoOf(review.spec) });
  const reason = decision.reason ? { reason: decision.reason } : {};
  const denied = decision.denied ? { denied: true } : {};
  return { ...review, status: { allowed: decision.allowed, ...denied, ...reason } };
}

function subjectReview(authorizer: Authorizer, kind: string): RequestKindHandler {
  return {
    kind: requestKindOf(GROUP, kind),
    handle: ({ body, request }) => {
      const review = body as KubeObject as SubjectAccessReview | LocalSubjectAccessReview;
      if (!review.spec.user && !review.spec.groups?.length)
        throw newBadRequest('at least one of user or group must be specified');
      const { namespace } = request.info;
      if (namespace && review.spec.resourceAttributes?.namespace !== namespace)
        throw newBadRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
      return answer(authorizer, review, userOf(review.spec));
    },
  };
}

function rulesReview(rules: RuleLister): RequestKindHandler {
  return {
    kind: requestKindOf(GROUP, 'SelfSubjectRulesReview'),
    handle: ({ body, request }) => {
      const review = body as KubeObject as SelfSubjectRulesReview;
      const namespace = review.spec.namespace ?? '';
      if (namespace === '') throw newBadRequest('no namespace on request');
      const all = rules.rulesFor(request.context.user, namespace);
      const unlisted = (rules.unlisted ?? []).map(
        (name) => `${name} authorizer does not support user rule resolution`,
      );
      return Promise.resolve({
        ...review,
        status: {
          resourceRules: all
            .filter((rule) => (rule.resources ?? []).length > 0)
            .map(({ verbs, apiGroups, resources, resourceNames }) => ({
              verbs,
              ...(apiGroups ? { apiGroups } : {}),
              ...(resources ? { resources } : {}),
              ...(resourceNames ? { resourceNames } : {}),
            })),
          nonResourceRules: all
            .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
            .map(({ verbs, nonResourceURLs = [] }) => ({ verbs, nonResourceURLs })),
          incomplete: unlisted.length > 0,
          ...(unlisted.length > 0 ? { evaluationError: unlisted.join(', ') } : {}),
        },
      });
    },
  };
}

/** SubjectAccessReview and its relatives: `kubectl auth can-i`, with and without --list. */
export function accessReviews(authorizer: Authorizer, rules: RuleLister): RequestKindHandler[] {
  return [
    subjectReview(authorizer, 'SubjectAccessReview'),
    subjectReview(authorizer, 'LocalSubjectAccessReview'),
    {
      kind: requestKindOf(GROUP, 'SelfSubjectAccessReview'),
      handle: ({ body, request }) =>
        answer(authorizer, body as KubeObject as SelfSubjectAccessReview, request.context.user),
    },
    rulesReview(rules),
  ];
}
