import type { Clock, Metrics } from '@orrery/component';

/** k8s apiserver pkg/admission/plugin/policy/validating/metrics/metrics.go. */
const CHECK_BUCKETS = [5e-7, 0.001, 0.01, 0.1, 1];
/** k8s apiserver pkg/cel/metrics, pkg/admission/metrics/metrics.go:matchConditionEvaluationSeconds: upstream's defaults. */
const EVALUATION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25];

/** Whose conditions are looked at. */
export interface ConditionSubject {
  readonly name: string;
  readonly kind: 'webhook' | 'policy';
  readonly operation: string;
  readonly type: 'admit' | 'validate';
}

/** A policy whose conditions are looked at. */
export const policySubject = (
  { metadata }: { readonly metadata: { readonly name?: string } },
  operation: string,
  type: ConditionSubject['type'],
): ConditionSubject => ({ name: metadata.name ?? '', kind: 'policy', operation, type });

export interface ConditionOutcome {
  readonly matches: boolean;
  readonly error?: string;
}

export interface PolicyCheck {
  readonly policy: string;
  readonly binding: string;
  readonly action: 'allow' | 'deny' | 'audit' | 'warn';
  readonly errorType: 'no_error' | 'invalid_error' | 'compile_error' | 'out_of_budget';
  readonly seconds: number;
}

/** Upstream's metrics of expressions by upstream's names: conditions of webhooks and policies, and what policies decide. */
export class PolicyMetrics {
  private readonly seconds;
  private readonly errors;
  private readonly exclusions;
  private readonly checks;
  private readonly checkSeconds;
  private readonly evaluation;
  private readonly compilation;
  private readonly mutations;
  private readonly mutationSeconds;

  constructor(
    metrics: Metrics,
    private readonly clock: Clock,
  ) {
    const labels = ['name', 'kind', 'operation', 'type'] as const;
    const condition = 'apiserver_admission_match_condition';
    this.seconds = metrics.histogram({
      name: `${condition}_evaluation_seconds`,
      help: 'Seconds that the conditions of a webhook or policy took.',
      labels,
      buckets: EVALUATION_BUCKETS,
    });
    this.errors = metrics.counter({
      name: `${condition}_evaluation_errors_total`,
      help: 'Conditions that could not be told.',
      labels,
    });
    this.exclusions = metrics.counter({
      name: `${condition}_exclusions_total`,
      help: 'Requests that conditions left out.',
      labels,
    });
    const check = 'apiserver_validating_admission_policy_check';
    const checkLabels = ['policy', 'policy_binding', 'error_type', 'enforcement_action'] as const;
    this.checks = metrics.counter({
      name: `${check}_total`,
      help: 'What policies decided, by binding and by what was done.',
      labels: checkLabels,
    });
    this.checkSeconds = metrics.histogram({
      name: `${check}_duration_seconds`,
      help: 'Seconds that a decision took.',
      labels: checkLabels,
      buckets: CHECK_BUCKETS,
    });
    const mutation = 'apiserver_mutating_admission_policy_check';
    const mutationLabels = ['policy', 'policy_binding', 'error_type'] as const;
    this.mutations = metrics.counter({
      name: `${mutation}_total`,
      help: 'Mutations that policies made, by binding.',
      labels: mutationLabels,
    });
    this.mutationSeconds = metrics.histogram({
      name: `${mutation}_duration_seconds`,
      help: 'Seconds that a mutation took.',
      labels: mutationLabels,
      buckets: CHECK_BUCKETS,
    });
    this.evaluation = metrics.histogram({
      name: 'apiserver_cel_evaluation_duration_seconds',
      help: 'Seconds that the expressions of a policy, or of the conditions of a webhook, took.',
    });
    this.compilation = metrics.histogram({
      name: 'apiserver_cel_compilation_duration_seconds',
      help: 'Seconds that the same took to be compiled.',
    });
  }

  now(): number {
    return this.clock.monotonic();
  }

  since(startedAt: number): number {
    return (this.clock.monotonic() - startedAt) / 1000;
  }

  /** Takes the time of compiling. */
  readonly compiling = <T>(work: () => T): T => {
    const startedAt = this.now();
    try {
      return work();
    } finally {
      this.compilation.observe(this.since(startedAt));
    }
  };

  /** Measures how conditions are looked at. */
  async conditions<T extends ConditionOutcome>(
    { name, kind, operation, type }: ConditionSubject,
    work: () => Promise<T>,
  ): Promise<T> {
    const startedAt = this.now();
    const outcome = await work();
    const labels = { name, kind, operation, type };
    const seconds = this.since(startedAt);
    this.seconds.observe(labels, seconds);
    this.evaluation.observe(seconds);
    if (outcome.error !== undefined) this.errors.inc(labels);
    else if (!outcome.matches) this.exclusions.inc(labels);
    return outcome;
  }

  /** Counts a decision. */
  checked({ policy, binding, action, errorType, seconds }: PolicyCheck): void {
    const labels = {
      policy,
      policy_binding: binding,
      error_type: errorType,
      enforcement_action: action,
    };
    this.checks.inc(labels);
    this.checkSeconds.observe(labels, seconds);
  }

  /** Counts a mutation. */
  mutated({ policy, binding, errorType, seconds }: Omit<PolicyCheck, 'action'>): void {
    const labels = { policy, policy_binding: binding, error_type: errorType };
    this.mutations.inc(labels);
    this.mutationSeconds.observe(labels, seconds);
    this.evaluated(seconds);
  }

  evaluated(seconds: number): void {
    this.evaluation.observe(seconds);
  }
}
