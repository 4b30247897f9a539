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
  unlisted?(): readonly string[];
}

const GROUP = 'authorization.k8s.io';

/** The kind of that name among those that are only POSTed. */
export function requestKindOf(group: string, kind: string): RequestKind {
  const found = requestKinds.find((one) => one.group === group && one.kind === kind);
  if (!found) throw new Error(`no request kind ${group}/${kind}`);
  return found;
}

type Review = Pick<Partial<KubeObject>, 'metadata'> & {
  readonly spec: ReviewSpec & { readonly user?: string; readonly groups?: readonly string[] };
};

const SPEC = FieldPath.of('spec');
const NON_RESOURCE = SPEC.child('nonResourceAttributes');
const RESOURCE = SPEC.child('resourceAttributes');

/** k8s pkg/apis/authorization/validation/validation.go, for this and the two below. */
function attributeProblems({
  resourceAttributes,
  nonResourceAttributes,
}: ReviewSpec): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    return [invalid(NON_RESOURCE, nonResourceAttributes, detail)];
  }
  if (resourceAttributes ?? nonResourceAttributes) return [];
  const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [invalid(RESOURCE, null, detail)];
}

function metadataProblems(metadata: object | undefined, isLocal: boolean): FieldError[] {
  const set = Object.entries(metadata ?? {}).filter(
    ([name, value]) => !['namespace', 'managedFields'].includes(name) && Boolean(value),
  );
  const detail = isLocal ? 'must be empty except for namespace' : 'must be empty';
  return set.length > 0 ? [invalid(FieldPath.of('metadata'), metadata, detail)] : [];
}

/** Of a LocalSubjectAccessReview. */
function namespaceProblems(
  { resourceAttributes, nonResourceAttributes }: ReviewSpec,
  namespace: string,
): FieldError[] {
  const problems: FieldError[] = [];
  const own = resourceAttributes?.namespace ?? '';
  if (resourceAttributes && own !== namespace)
    problems.push(invalid(RESOURCE.child('namespace'), own, 'must match metadata.namespace'));
  if (nonResourceAttributes)
    problems.push(
      invalid(NON_RESOURCE, nonResourceAttributes, 'disallowed on this kind of request'),
    );
  return problems;
}

function problemsOf({ spec, metadata }: Review, namespace: string, isSelf: boolean): FieldError[] {
  const isNobody = !isSelf && !spec.user && !spec.groups?.length;
  const nobody = 'at least one of user or group must be specified';
  return [
    ...attributeProblems(spec),
    ...(isNobody ? [invalid(SPEC.child('user'), '', nobody)] : []),
    ...metadataProblems(metadata, namespace !== ''),
    ...(namespace === '' ? [] : namespaceProblems(spec, namespace)),
  ];
}

/** Throws 422 for a review that asks for nothing, or for too much. */
function check(review: Review, kind: string, namespace: string): void {
  const problems = problemsOf(review, namespace, kind === 'SelfSubjectAccessReview');
  // Upstream's object has lost its kind when it is checked.
  if (problems.length > 0) throw newInvalid({ group: GROUP, kind: '' }, '', problems);
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
      const unlisted = (rules.unlisted?.() ?? []).map(
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
