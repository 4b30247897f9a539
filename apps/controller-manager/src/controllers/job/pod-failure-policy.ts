import type {
  Job,
  Pod,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
} from '@orrery/api';

export interface Verdict {
  readonly action: PodFailurePolicyRule['action'];
  readonly message: string;
}

function exitCodeMatch(
  pod: Pod,
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
): { readonly name: string; readonly exitCode: number } | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  for (const { name, state } of [...containerStatuses, ...initContainerStatuses]) {
    const exitCode = state?.terminated?.exitCode ?? 0;
    if (exitCode === 0 || (containerName && containerName !== name)) continue;
    if (values.includes(exitCode) === (operator === 'In')) return { name, exitCode };
  }
  return undefined;
}

function explain(pod: Pod, rule: PodFailurePolicyRule): string | undefined {
  const podName = `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
  if (rule.onExitCodes) {
    const match = exitCodeMatch(pod, rule.onExitCodes);
    return (
      match && `Container ${match.name} for pod ${podName} failed with exit code ${match.exitCode}`
    );
  }
  const condition = rule.onPodConditions?.find((pattern) =>
    pod.status?.conditions?.some(
      ({ type, status }) => type === pattern.type && status === (pattern.status ?? 'True'),
    ),
  );
  return condition && `Pod ${podName} has condition ${condition.type}`;
}

/** Pure: actions of the rules that fit pods whose failure the status did not name before. */
export function policyActions(job: Job, released: readonly Pod[]): string[] {
  const known = new Set(job.status?.uncountedTerminatedPods?.failed);
  return released
    .filter(({ metadata, status }) => status?.phase === 'Failed' && !known.has(metadata.uid ?? ''))
    .map((pod) => judgeFailure(job, pod))
    .filter(({ message }) => message !== '')
    .map(({ action }) => action);
}

/** Pure: what the first rule that fits says of a pod that failed (k8s pkg/controller/job/pod_failure_policy.go). */
export function judgeFailure(job: Job, pod: Pod): Verdict {
  for (const [index, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const why = explain(pod, rule);
    if (!why) continue;
    return {
      action: rule.action,
      message: `${why} matching ${rule.action} rule at index ${index}`,
    };
  }
  return { action: 'Count', message: '' };
}
