import type { KubeObject } from '@orrery/apimachinery';
import { StatusError } from '@orrery/apimachinery';
import type {
  KindDescriptor,
  MutatingAdmissionPolicy as Policy,
  MutatingAdmissionPolicyBinding as Binding,
} from '@orrery/api';
import { LIMITS } from '@orrery/cel';
import { cloneJson, equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { evaluateConditions } from '../matching/match-conditions.js';
import { Passes, replaceObject } from '../matching/passes.js';
import { PolicyEvaluation } from '../matching/policy-evaluation.js';
import { PolicyAuthorizer, policyVariables } from '../matching/policy-variables.js';
import { isExempt, namespaceOf } from '../matching/request-matcher.js';
import { convertBetween } from '../matching/versioned-object.js';
import { ConfigurationProblem } from '../policy/policy-params.js';
import { policySubject } from '../policy-metrics.js';
import type { PolicyCheck } from '../policy-metrics.js';
import { refuseMutation } from '../policy/policy-refusal.js';
import type { PolicyDeps } from '../validating-admission-policy/validating-admission-policy.plugin.js';
import type { CompiledMutation } from './apply-mutation.js';
import { applyMutation, compileMutations } from './apply-mutation.js';

export interface MutatingPoliciesDeps extends PolicyDeps {
  readonly policies: LiveReader<Policy>;
  /** Indexed by policy name. */
  readonly bindings: LiveReader<Binding>;
}

/** One policy with one binding and one parameter. */
interface Invocation {
  readonly policy: Policy;
  readonly binding: Binding;
  readonly kind: KindDescriptor;
  readonly params: KubeObject | undefined;
}

interface Review {
  readonly attributes: AdmissionAttributes;
  readonly answers: PolicyAuthorizer;
  readonly passes: Passes;
  readonly errors: string[];
}

const keyOf = ({ policy, binding, params }: Invocation): string =>
  JSON.stringify([
    policy.metadata.name,
    binding.metadata.name,
    params?.metadata.namespace,
    params?.metadata.name,
  ]);

/** Changes objects by MutatingAdmissionPolicies (k8s apiserver pkg/admission/plugin/policy/mutating). */
export class MutatingPolicies implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionPolicy';

  constructor(private readonly deps: MutatingPoliciesDeps) {}

  handles(): boolean {
    return true;
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    if (isExempt(attributes) || !attributes.object) return;
    const policies = [...this.deps.policies.values()];
    if (policies.length === 0) return;
    const passes = Passes.of(attributes, this.name);
    const answers = new PolicyAuthorizer(this.deps.authorizer, attributes.context.user);
    const review: Review = { attributes, answers, passes, errors: [] };
    for (const policy of policies) await this.applyPolicy(policy, review);
    await passes.end();
    if (review.errors.length > 0) throw refuseMutation(attributes, review.errors);
  }

  private complain(
    error: unknown,
    policy: Policy,
    binding: Binding | undefined,
    review: Review,
  ): void {
    if (!(error instanceof Error) || error instanceof StatusError) throw error;
    if (policy.spec.failurePolicy === 'Ignore') return;
    const config = error instanceof ConfigurationProblem ? 'failed to configure binding: ' : '';
    const where = binding
      ? `policy '${policy.metadata.name ?? ''}' with binding '${binding.metadata.name ?? ''}'`
      : `policy "${policy.metadata.name ?? ''}"`;
    review.errors.push(`${where} denied request: ${config}${error.message}`);
  }

  private async applyPolicy(policy: Policy, review: Review): Promise<void> {
    const bindings = [...this.deps.bindings.indexed(policy.metadata.name ?? '')];
    if (bindings.length === 0) return;
    const { attributes } = review;
    const kind = await this.deps.matcher.match(attributes, policy.spec.matchConstraints ?? {});
    if (!kind) return;
    for (const binding of bindings) {
      const { matchResources, paramRef } = binding.spec;
      if (matchResources && !(await this.deps.matcher.match(attributes, matchResources))) continue;
      try {
        const within = namespaceOf(attributes);
        const found = await this.deps.params.collect(policy.spec.paramKind, paramRef, within);
        for (const params of found) await this.invoke({ policy, binding, kind, params }, review);
      } catch (error) {
        this.complain(error, policy, binding, review);
      }
    }
  }

  private async invoke(invocation: Invocation, review: Review): Promise<void> {
    const { policy, binding, kind, params } = invocation;
    const { attributes, passes } = review;
    const isNamespace = attributes.kind.group === '' && attributes.kind.kind === 'Namespace';
    const namespace = isNamespace ? undefined : await this.deps.matcher.namespace(attributes);
    const subject = { attributes, kind, namespace, params };
    const { matchConditions = [], paramKind, reinvocationPolicy } = policy.spec;
    const first = policyVariables(subject, review.answers);
    const { metrics } = this.deps;
    const timed = metrics.compiling;
    const conditions = await metrics.conditions(
      policySubject(policy, attributes.operation, 'admit'),
      () => evaluateConditions(matchConditions, first, { params: paramKind !== undefined, timed }),
    );
    if (conditions.error !== undefined) throw new Error(conditions.error);
    if (!conditions.matches) return;
    const key = keyOf(invocation);
    if (!passes.has(key)) return;
    const { variables, mutations } = compileMutations(policy, timed);
    let changed = false;
    const names = { policy: policy.metadata.name ?? '', binding: binding.metadata.name ?? '' };
    for (const mutation of mutations) {
      const startedAt = metrics.now();
      const count = (errorType: PolicyCheck['errorType']): void => {
        metrics.mutated({ ...names, errorType, seconds: metrics.since(startedAt) });
      };
      try {
        // Each mutation sees what those before it have made.
        const seen = policyVariables(subject, review.answers);
        const evaluation = new PolicyEvaluation(seen, LIMITS.perObject, variables);
        changed = (await mutate(mutation, subject, evaluation)) || changed;
        count('no_error');
      } catch (error) {
        count(mutation.expression.program ? 'invalid_error' : 'compile_error');
        this.complain(error, policy, binding, review);
      }
    }
    if (changed) passes.changed();
    if (reinvocationPolicy === 'IfNeeded') passes.willLookAgain(key);
  }
}

/** Applies one mutation to the request's object, in place; true when that changed it. */
async function mutate(
  mutation: CompiledMutation,
  { attributes, kind }: { attributes: AdmissionAttributes; kind: KindDescriptor },
  evaluation: PolicyEvaluation,
): Promise<boolean> {
  const { object } = attributes;
  if (!object) return false;
  const before = cloneJson(object);
  const shaped = convertBetween(before, attributes.kind, kind);
  const made = await applyMutation(mutation, cloneJson(shaped), kind, evaluation);
  kind.setDefaults?.(made);
  replaceObject(object, convertBetween(made, kind, attributes.kind));
  return !equalJson(before, object);
}
