import type { ServerServices } from '../../extensions.js';
import type { Authorizer } from '../../filters/authorization.js';
import type { ClusterViews } from '../../live-view/cluster-views.js';
import { createConditionEvaluator } from '../matching/match-conditions.js';
import { PolicyMetrics } from '../policy-metrics.js';
import { RequestMatcher } from '../matching/request-matcher.js';
import { MutatingPolicies } from '../mutating-admission-policy/mutating-admission-policy.plugin.js';
import { ValidatingPolicies } from '../validating-admission-policy/validating-admission-policy.plugin.js';
import { equivalentsIn } from '../webhook/create-webhooks.js';
import type { MatchConditionsEvaluator } from '../webhook/webhook-matcher.js';
import { PolicyParams } from './policy-params.js';

export interface Policies {
  readonly mutating: MutatingPolicies;
  readonly validating: ValidatingPolicies;
  /** For the matchConditions of webhooks. */
  readonly conditions: MatchConditionsEvaluator;
}

/** Both policy plugins, and what webhooks need of them. */
export function createPolicies(
  services: ServerServices,
  views: ClusterViews,
  authorizer: Authorizer,
): Policies {
  const kinds = (): ReturnType<ServerServices['kinds']> => services.kinds();
  const matcher = new RequestMatcher({
    namespaces: views.namespaces,
    equivalents: equivalentsIn(kinds),
  });
  const params = new PolicyParams({
    kinds,
    store: (group, version, plural) => services.store(group, version, plural),
  });
  const metrics = new PolicyMetrics(services.metrics, services.clock);
  const deps = { matcher, params, authorizer, metrics };
  return {
    mutating: new MutatingPolicies({
      ...deps,
      policies: views.mutatingPolicies,
      bindings: views.mutatingPolicyBindings,
    }),
    validating: new ValidatingPolicies({
      ...deps,
      policies: views.validatingPolicies,
      bindings: views.validatingPolicyBindings,
    }),
    conditions: createConditionEvaluator(
      authorizer,
      (attributes) => matcher.namespace(attributes),
      metrics,
    ),
  };
}
