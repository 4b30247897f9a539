import { newForbidden } from '@orrery/apimachinery';
import type { MatchCondition, Namespace } from '@orrery/api';
import type { Activation, PolicyProgram } from '@orrery/cel';
import { LIMITS, PolicyCompiler } from '@orrery/cel';
import type { AdmissionAttributes } from '@orrery/registry';
import type { Authorizer } from '../../filters/authorization.js';
import type { MatchConditionsEvaluator } from '../webhook/webhook-matcher.js';
import type { PolicyMetrics } from '../policy-metrics.js';
import { PolicyEvaluation } from './policy-evaluation.js';
import { PolicyAuthorizer, policyVariables } from './policy-variables.js';

const compiled = new WeakMap<readonly MatchCondition[], readonly PolicyProgram[]>();

function programsOf(
  conditions: readonly MatchCondition[],
  params: boolean,
): readonly PolicyProgram[] {
  let programs = compiled.get(conditions);
  if (!programs) {
    const compiler = new PolicyCompiler({ params, authorizer: true });
    programs = conditions.map(({ expression }) => compiler.compile(expression, 'bool'));
    compiled.set(conditions, programs);
  }
  return programs;
}

/**
 * False when a condition is false, whatever else fails; `error` when none is false and one fails
 * (k8s apiserver pkg/admission/plugin/webhook/matchconditions).
 */
export async function evaluateConditions(
  conditions: readonly MatchCondition[],
  variables: Activation,
  params = false,
): Promise<{ readonly matches: boolean; readonly error?: string }> {
  const evaluation = new PolicyEvaluation(variables, LIMITS.matchConditions);
  const errors: string[] = [];
  for (const [i, program] of programsOf(conditions, params).entries()) {
    const result = await evaluation.evaluate(program, conditions[i]?.expression ?? '');
    if (result.error !== undefined) errors.push(result.error);
    else if (result.value === false) return { matches: false };
  }
  if (errors.length === 0) return { matches: true };
  return { matches: false, error: errors.length === 1 ? errors.join() : `[${errors.join(', ')}]` };
}

/** The matchConditions of webhooks. */
export function createConditionEvaluator(
  authorizer: Authorizer,
  namespaceOfRequest: (attributes: AdmissionAttributes) => Promise<Namespace | undefined>,
  metrics: PolicyMetrics,
): MatchConditionsEvaluator {
  return {
    async matches(conditions, failurePolicy, { attributes, kind, webhook, type }) {
      const namespace = await namespaceOfRequest(attributes).catch(() => undefined);
      const answers = new PolicyAuthorizer(authorizer, attributes.context.user);
      const variables = policyVariables({ attributes, kind, namespace }, answers);
      const { operation } = attributes;
      const subject = { name: webhook, kind: 'webhook', operation, type } as const;
      const { matches, error } = await metrics.conditions(subject, () =>
        evaluateConditions(conditions, variables),
      );
      if (error === undefined) return matches;
      if (failurePolicy === 'Ignore') return false;
      const resource = { group: attributes.kind.group, resource: attributes.kind.plural };
      throw newForbidden(resource, attributes.name, error);
    },
  };
}
