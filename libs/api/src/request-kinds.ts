import type { RequestKind } from './kind.js';

function request(
  group: string,
  version: string,
  kind: string,
  plural: string,
  namespaced = false,
): RequestKind {
  const pkg = (group.split('.')[0] ?? '') || 'core';
  return {
    group,
    version,
    kind,
    plural,
    namespaced,
    schema: `io.k8s.api.${pkg}.${version}.${kind}`,
    message: `k8s.io.api.${pkg}.${version}.${kind}`,
  };
}

/** Kinds that are answered, not stored; those without a plural are bodies of subresources only. */
export const requestKinds: readonly RequestKind[] = [
  request('', 'v1', 'Binding', 'bindings', true),
  request('authentication.k8s.io', 'v1', 'TokenReview', 'tokenreviews'),
  request('authentication.k8s.io', 'v1', 'SelfSubjectReview', 'selfsubjectreviews'),
  request('authentication.k8s.io', 'v1', 'TokenRequest', '', true),
  request('authorization.k8s.io', 'v1', 'SubjectAccessReview', 'subjectaccessreviews'),
  request('authorization.k8s.io', 'v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews'),
  request('authorization.k8s.io', 'v1', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews'),
  request(
    'authorization.k8s.io',
    'v1',
    'LocalSubjectAccessReview',
    'localsubjectaccessreviews',
    true,
  ),
  request('autoscaling', 'v1', 'Scale', '', true),
  request('policy', 'v1', 'Eviction', '', true),
];
