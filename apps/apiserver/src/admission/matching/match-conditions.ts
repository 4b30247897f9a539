import { newForbidden } from '@orrery/apimachinery';
import type { MatchCondition, Namespace } from '@orrery/api';
import type { Activation, PolicyProgram } from '@orrery/cel';
import { LIMITS, PolicyCompiler } from '@orrery/cel';
import type { AdmissionAttributes } from '@orrery/registry';
import type { Authorizer } from '../../filters/authorization.js';
import { compileOnce } from '../policy/compiled-policy.js';
import type { Timed } from '../policy/compiled-policy.js';
import type { MatchConditionsEvaluator } from '../webhook/webhook-matcher.js';
import type { PolicyMetrics } from '../policy-metrics.js';
import { PolicyEvaluation } from './policy-evaluation.js';
import { PolicyAuthorizer, policyVariables } from './policy-variables.js';

const compile = (
  conditions: readonly MatchCondition[],
  params: boolean,
): readonly PolicyProgram[] => {
  const compiler = new PolicyCompiler({ params, authorizer: true });
  return conditions.map(({ expression }) => compiler.compile(expression, 'bool'));
};

/** Programs of conditions whose policy has parameters, and of all others. */
const PROGRAMS = {
  withParams: compileOnce((conditions: readonly MatchCondition[]) => compile(conditions, true)),
  plain: compileOnce((conditions: readonly MatchCondition[]) => compile(conditions, false)),
};

export interface ConditionOptions {
  readonly params?: boolean;
  readonly timed: Timed;
}

/**
 * False when a condition is false, whatever else fails; `error` when none is false and one fails
 * (k8s apiserver pkg/admission/plugin/webhook/matchconditions).
 */
export async function evaluateConditions(
  conditions: readonly MatchCondition[],
  variables: Activation,
  { params = false, timed }: ConditionOptions,
): Promise<{ readonly matches: boolean; readonly error?: string }> {
  const evaluation = new PolicyEvaluation(variables, LIMITS.matchConditions);
  const errors: string[] = [];
  if (conditions.length === 0) return { matches: true };
  const programs = PROGRAMS[params ? 'withParams' : 'plain'](conditions, timed);
  for (const [i, program] of programs.entries()) {
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
        evaluateConditions(conditions, variables, { timed: metrics.compiling }),
      );
      if (error === undefined) return matches;
      if (failurePolicy === 'Ignore') return false;
      const resource = { group: attributes.kind.group, resource: attributes.kind.plural };
      throw newForbidden(resource, attributes.name, error);
    },
  };
}
