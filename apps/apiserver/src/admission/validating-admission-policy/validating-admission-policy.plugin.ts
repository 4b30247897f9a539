import type { KubeObject } from '@orrery/apimachinery';
import { StatusError } from '@orrery/apimachinery';
import type {
  KindDescriptor,
  Namespace,
  ValidatingAdmissionPolicy as Policy,
  ValidatingAdmissionPolicyBinding as Binding,
} from '@orrery/api';
import type { PolicyProgram } from '@orrery/cel';
import { LIMITS } from '@orrery/cel';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import type { Authorizer } from '../../filters/authorization.js';
import type { LiveReader } from '../../live-view/live-view.js';
import { evaluateConditions } from '../matching/match-conditions.js';
import { PolicyEvaluation } from '../matching/policy-evaluation.js';
import { PolicyAuthorizer, policyVariables } from '../matching/policy-variables.js';
import type { RequestMatcher } from '../matching/request-matcher.js';
import { isExempt, namespaceOf } from '../matching/request-matcher.js';
import type { PolicyCheck, PolicyMetrics } from '../policy-metrics.js';
import { policySubject } from '../policy-metrics.js';
import type { PolicyParams } from '../policy/policy-params.js';
import { ConfigurationProblem } from '../policy/policy-params.js';
import { refuse } from '../policy/policy-refusal.js';
import { compileValidations } from './compile-validations.js';
import type { CompiledAnnotation, CompiledValidation } from './compile-validations.js';

export interface PolicyDeps {
  readonly matcher: RequestMatcher;
  readonly params: PolicyParams;
  readonly authorizer: Authorizer;
  readonly metrics: PolicyMetrics;
}

export interface ValidatingPoliciesDeps extends PolicyDeps {
  readonly policies: LiveReader<Policy>;
  /** Indexed by policy name. */
  readonly bindings: LiveReader<Binding>;
}

interface Denial {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

interface Failure {
  readonly message: string;
  readonly reason: string;
  readonly index: number;
  readonly errorType: PolicyCheck['errorType'];
  readonly seconds: number;
}

/** What one request has come to so far. */
interface Review {
  readonly attributes: AdmissionAttributes;
  readonly answers: PolicyAuthorizer;
  readonly denials: Denial[];
  readonly audited: object[];
}

const MAX_ANNOTATION_BYTES = 10 * 1024;
const MAX_AUDITED = 50;

/** Judges requests by ValidatingAdmissionPolicies (k8s apiserver pkg/admission/plugin/policy/validating). */
export class ValidatingPolicies implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionPolicy';

  constructor(private readonly deps: ValidatingPoliciesDeps) {}

  handles(): boolean {
    return true;
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    if (isExempt(attributes)) return;
    const answers = new PolicyAuthorizer(this.deps.authorizer, attributes.context.user);
    const review: Review = { attributes, answers, denials: [], audited: [] };
    for (const policy of this.deps.policies.values()) {
      const bindings = [...this.deps.bindings.indexed(policy.metadata.name ?? '')];
      if (bindings.length > 0) await this.applyPolicy(policy, bindings, review);
    }
    if (review.audited.length > 0) {
      const shown = JSON.stringify(review.audited.slice(0, MAX_AUDITED));
      attributes.context.annotate?.('validation.policy.admission.k8s.io/validation_failure', shown);
    }
    const [denial] = review.denials;
    if (!denial) return;
    const binding = denial.binding === undefined ? '' : ` with binding '${denial.binding}'`;
    const message = `ValidatingAdmissionPolicy '${denial.policy}'${binding} denied request: ${denial.message}`;
    throw refuse(attributes, message, denial.reason);
  }

  /** A configuration that cannot be applied refuses, unless the policy says Ignore. */
  private complain(
    error: unknown,
    policy: Policy,
    binding: Binding | undefined,
    review: Review,
  ): void {
    const isOurs = error instanceof ConfigurationProblem || error instanceof StatusError;
    if (!isOurs) throw error;
    if (policy.spec.failurePolicy === 'Ignore') return;
    const what = binding ? 'failed to configure binding' : 'failed to configure policy';
    review.denials.push({
      policy: policy.metadata.name ?? '',
      binding: binding?.metadata.name,
      message: `${what}: ${error.message}`,
      reason: 'Invalid',
    });
  }

  private async applyPolicy(
    policy: Policy,
    bindings: readonly Binding[],
    review: Review,
  ): Promise<void> {
    let kind: KindDescriptor | undefined;
    try {
      kind = await this.deps.matcher.match(review.attributes, policy.spec.matchConstraints ?? {});
    } catch (error) {
      this.complain(error, policy, undefined, review);
    }
    if (!kind) return;
    for (const binding of bindings) {
      try {
        await this.applyBinding(policy, binding, kind, review);
      } catch (error) {
        this.complain(error, policy, binding, review);
      }
    }
  }

  private async applyBinding(
    policy: Policy,
    binding: Binding,
    kind: KindDescriptor,
    review: Review,
  ): Promise<void> {
    const { attributes } = review;
    const { matchResources, paramRef } = binding.spec;
    if (matchResources && !(await this.deps.matcher.match(attributes, matchResources))) return;
    const isNamespace = attributes.kind.group === '' && attributes.kind.kind === 'Namespace';
    const within = namespaceOf(attributes);
    const params = await this.deps.params.collect(policy.spec.paramKind, paramRef, within);
    const namespace = isNamespace ? undefined : await this.deps.matcher.namespace(attributes);
    for (const one of params)
      await this.judge(policy, binding, { kind, namespace, params: one }, review);
  }

  private async judge(
    policy: Policy,
    binding: Binding,
    subject: {
      kind: KindDescriptor;
      namespace: Namespace | undefined;
      params: KubeObject | undefined;
    },
    review: Review,
  ): Promise<void> {
    const { attributes, answers } = review;
    const variables = policyVariables({ attributes, ...subject }, answers);
    const { matchConditions = [], paramKind } = policy.spec;
    const failures: Failure[] = [];
    const { metrics } = this.deps;
    const timed = metrics.compiling;
    const params = paramKind !== undefined;
    const startedAt = metrics.now();
    const conditions = await metrics.conditions(
      policySubject(policy, attributes.operation, 'validate'),
      () => evaluateConditions(matchConditions, variables, { params, timed }),
    );
    if (conditions.error !== undefined)
      failures.push({
        message: conditions.error,
        reason: 'Invalid',
        index: 0,
        errorType: 'invalid_error',
        seconds: metrics.since(startedAt),
      });
    else if (!conditions.matches) return;
    const isFatal = policy.spec.failurePolicy !== 'Ignore';
    const compiled = compileValidations(policy, timed);
    const evaluation = new PolicyEvaluation(variables, LIMITS.perObject, compiled.variables);
    if (conditions.error === undefined) {
      for (const [index, one] of compiled.validations.entries()) {
        const began = metrics.now();
        const failure = await validateOne(evaluation, one, isFatal);
        const seconds = metrics.since(began);
        metrics.evaluated(seconds);
        if (failure) failures.push({ ...failure, index, seconds });
        else
          metrics.checked({
            ...namesOf(policy, binding),
            action: 'allow',
            errorType: 'no_error',
            seconds,
          });
      }
    } else if (!isFatal) return;
    this.act(policy, binding, failures, review);
    if (conditions.error === undefined) {
      for (const one of compiled.annotations) {
        const error = await annotate(evaluation, one, policy.metadata.name ?? '', attributes);
        if (error === undefined || !isFatal) continue;
        review.denials.push({ ...namesOf(policy, binding), message: error, reason: 'Invalid' });
      }
    }
  }

  private act(
    policy: Policy,
    binding: Binding,
    failures: readonly Failure[],
    review: Review,
  ): void {
    const names = namesOf(policy, binding);
    const { validationActions } = binding.spec;
    for (const { message, reason, index, errorType, seconds } of failures) {
      for (const action of ['deny', 'audit', 'warn'] as const)
        if (validationActions.some((one) => one.toLowerCase() === action))
          this.deps.metrics.checked({ ...names, action, errorType, seconds });
      if (validationActions.includes('Deny')) review.denials.push({ ...names, message, reason });
      if (validationActions.includes('Audit')) {
        review.audited.push({
          message,
          policy: names.policy,
          binding: names.binding,
          expressionIndex: index,
          validationActions,
        });
      }
      if (validationActions.includes('Warn')) {
        review.attributes.context.warn(
          `Validation failed for ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}': ${message}`,
        );
      }
    }
  }
}

const namesOf = (policy: Policy, binding: Binding): { policy: string; binding: string } => ({
  policy: policy.metadata.name ?? '',
  binding: binding.metadata.name ?? '',
});

/** The message of a failed validation: what its expression makes, else its text, else the expression. */
async function messageOf(
  evaluation: PolicyEvaluation,
  { validation, message }: CompiledValidation,
): Promise<string> {
  if (message) {
    const made = await evaluation.evaluate(message, validation.messageExpression ?? '');
    const text =
      made.error === undefined && typeof made.value === 'string' ? made.value.trim() : '';
    if (text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= LIMITS.messageBytes)
      return text;
  }
  return validation.message?.trim() || `failed expression: ${validation.expression.trim()}`;
}

const errorTypeOf = ({ program }: PolicyProgram, error: string): PolicyCheck['errorType'] => {
  if (!program) return 'compile_error';
  return /cost (?:budget|limit)/.test(error) ? 'out_of_budget' : 'invalid_error';
};

async function validateOne(
  evaluation: PolicyEvaluation,
  one: CompiledValidation,
  isFatal: boolean,
): Promise<Omit<Failure, 'index' | 'seconds'> | undefined> {
  const { validation, expression } = one;
  const result = await evaluation.evaluate(expression, validation.expression);
  if (result.error !== undefined)
    return isFatal
      ? {
          message: result.error,
          reason: 'Invalid',
          errorType: errorTypeOf(expression, result.error),
        }
      : undefined;
  if (result.value === true) return undefined;
  return {
    message: await messageOf(evaluation, one),
    reason: validation.reason ?? 'Invalid',
    errorType: 'no_error',
  };
}

/** Publishes an audit annotation; answers the error when there is one. */
async function annotate(
  evaluation: PolicyEvaluation,
  { key, source, expression }: CompiledAnnotation,
  policy: string,
  { context }: AdmissionAttributes,
): Promise<string | undefined> {
  const result = await evaluation.evaluate(expression, source);
  if (result.error !== undefined) return result.error;
  if (result.value === null) return undefined;
  if (typeof result.value !== 'string')
    return `valueExpression '${source}' resulted in unsupported return type. Return type must be either string or null.`;
  const value = result.value.trim().slice(0, MAX_ANNOTATION_BYTES);
  if (value !== '') context.annotate?.(`${policy}/${key}`, value);
  return undefined;
}
