import { FieldPath, invalid, newBadRequest, newInvalid } from '@orrery/apimachinery';
import type { FieldError, KubeObject } from '@orrery/apimachinery';
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

type Review = KubeObject & {
  readonly spec: ReviewSpec & { readonly user?: string; readonly groups?: readonly string[] };
};

/** k8s pkg/apis/authorization/validation/validation.go. */
function problemsOf(
  { spec, metadata = {} }: Review,
  namespace: string,
  isSelf: boolean,
): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  const at = FieldPath.of('spec');
  const problems: FieldError[] = [];
  const find = (field: FieldPath, value: unknown, detail: string): void => {
    problems.push(invalid(field, value, detail));
  };
  if (resource && path)
    find(
      at.child('nonResourceAttributes'),
      path,
      'cannot be specified in combination with resourceAttributes',
    );
  if (!resource && !path)
    find(
      at.child('resourceAttributes'),
      null,
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  if (!isSelf && !spec.user && !spec.groups?.length)
    find(at.child('user'), '', 'at least one of user or group must be specified');
  const { namespace: _own, managedFields: _fields, ...rest } = metadata;
  if (Object.values(rest).some((value) => value !== null && value !== undefined && value !== ''))
    find(
      FieldPath.of('metadata'),
      metadata,
      namespace === '' ? 'must be empty' : 'must be empty except for namespace',
    );
  if (namespace === '') return problems;
  if (resource && (resource.namespace ?? '') !== namespace)
    find(
      at.child('resourceAttributes').child('namespace'),
      resource.namespace ?? '',
      'must match metadata.namespace',
    );
  if (path) find(at.child('nonResourceAttributes'), path, 'disallowed on this kind of request');
  return problems;
}

/** Throws 422 for a review that asks for nothing, or for too much. */
function check(review: Review, kind: string, namespace: string): void {
  const problems = problemsOf(review, namespace, kind === 'SelfSubjectAccessReview');
  if (problems.length > 0) throw newInvalid({ group: GROUP, kind }, '', problems);
}

function infoOf(spec: ReviewSpec): RequestInfo {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
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
      check(body as Review, kind, request.info.namespace);
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
      handle: ({ body, request }) => {
        check(body as Review, 'SelfSubjectAccessReview', '');
        const review = body as KubeObject as SelfSubjectAccessReview;
        return answer(authorizer, review, request.context.user);
      },
    },
    rulesReview(rules),
  ];
}
