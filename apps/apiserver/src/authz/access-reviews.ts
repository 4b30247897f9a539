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
import type { Authorizer, Decision } from '../filters/authorization.js';
import type { RequestInfo } from '../filters/request-info.js';
import type { RequestKindHandler } from '../subresources.js';
import { pathAttributes, resourceAttributes } from './attributes.js';
import { fieldTerms, labelTerms } from './request-selectors.js';
import type { SelectorTerms } from './request-selectors.js';
import { selectorProblems } from './review-selectors.js';

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

/** As upstream's internal type prints. */
const shownPath = ({ path, verb }: NonNullable<ReviewSpec['nonResourceAttributes']>): object => ({
  Path: path ?? '',
  Verb: verb ?? '',
});

/** k8s pkg/apis/authorization/validation/validation.go, for this and those below. */
function attributeProblems({
  resourceAttributes,
  nonResourceAttributes,
}: ReviewSpec): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    return [invalid(NON_RESOURCE, shownPath(nonResourceAttributes), detail)];
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
      invalid(NON_RESOURCE, shownPath(nonResourceAttributes), 'disallowed on this kind of request'),
    );
  return problems;
}

function problemsOf({ spec, metadata }: Review, namespace: string, isSelf: boolean): FieldError[] {
  const isNobody = !isSelf && !spec.user && !spec.groups?.length;
  const nobody = 'at least one of user or group must be specified';
  return [
    ...attributeProblems(spec),
    ...(isNobody ? [invalid(SPEC.child('user'), '', nobody)] : []),
    ...selectorProblems(spec.resourceAttributes, RESOURCE),
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
  const { fieldSelector, labelSelector, version, ...asked } = resource ?? {};
  const selectors = {
    ...(fieldSelector ? { field: fieldSelector } : {}),
    ...(labelSelector ? { label: labelSelector } : {}),
  };
  // No version is all of them.
  return resourceAttributes({
    verb: '',
    resource: '',
    ...asked,
    version: version || '*',
    selectors,
  });
}

const userOf = (spec: SubjectAccessReview['spec']): UserInfo => ({
  name: spec.user ?? '',
  groups: spec.groups ?? [],
  ...(spec.uid ? { uid: spec.uid } : {}),
  ...(spec.extra ? { extra: spec.extra } : {}),
});

/** What could not be looked at (k8s pkg/registry/authorization/util/helpers.go:BuildEvaluationError). */
function evaluationError(decision: Decision, info: RequestInfo): string {
  const ignored = (name: string, { terms, hasError }: SelectorTerms): string[] => {
    const part = terms.length > 0 ? 'partially ignored' : 'ignored';
    return hasError ? [`spec.resourceAttributes.${name} ${part} due to parse error`] : [];
  };
  return [
    ...(decision.error ? [decision.error] : []),
    ...ignored('fieldSelector', fieldTerms(info)),
    ...ignored('labelSelector', labelTerms(info)),
  ].join('; ');
}

async function answer<T extends { spec: ReviewSpec }>(
  authorizer: Authorizer,
  review: T,
  user: UserInfo,
): Promise<T & { status: { allowed: boolean; reason?: string; evaluationError?: string } }> {
  const info = infoOf(review.spec);
  const decision = await authorizer.authorize({ user, info });
  const error = evaluationError(decision, info);
  return {
    ...review,
    status: {
      allowed: decision.allowed,
      ...(decision.denied ? { denied: true } : {}),
      ...(decision.reason ? { reason: decision.reason } : {}),
      ...(error ? { evaluationError: error } : {}),
    },
  };
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
