import type { Metrics } from '@orrery/component';
import { KUBERNETES_MINOR } from '@orrery/component';
import type { AdmissionAttributes } from '@orrery/registry';
import type { LevelVersion } from './policy.js';

type Decision = 'allow' | 'deny';
type Mode = 'enforce' | 'audit' | 'warn';

const REQUEST_LABELS = ['request_operation', 'resource', 'subresource'] as const;
const RESOURCES: Readonly<Record<string, string>> = { pods: 'pod', namespaces: 'namespace' };

const aboutRequest = ({
  operation,
  kind,
  subresource,
}: AdmissionAttributes): Record<(typeof REQUEST_LABELS)[number], string> => ({
  request_operation: operation.toLowerCase(),
  resource: RESOURCES[kind.plural] ?? 'controller',
  subresource,
});

/** Whoever asks for the standards of a release that is to come gets those of this one. */
const versionOf = ({ version }: LevelVersion): string => {
  if (version === 'latest') return version;
  return version > Number(KUBERNETES_MINOR) ? 'future' : `v1.${version}`;
};

/** Upstream's metrics of the Pod Security Standards by upstream's names (k8s pod-security-admission metrics/metrics.go). */
export class PodSecurityMetrics {
  private readonly evaluations;
  private readonly exemptions;
  private readonly errors;

  constructor(metrics: Metrics) {
    this.evaluations = metrics.counter({
      name: 'pod_security_evaluations_total',
      help: 'Policies that were evaluated, without requests that were ignored or exempt.',
      labels: ['decision', 'policy_level', 'policy_version', 'mode', ...REQUEST_LABELS],
    });
    this.exemptions = metrics.counter({
      name: 'pod_security_exemptions_total',
      help: 'Requests that were exempt, without those that were ignored.',
      labels: REQUEST_LABELS,
    });
    this.errors = metrics.counter({
      name: 'pod_security_errors_total',
      help: 'Errors that kept from evaluating as asked; those that are not fatal may have led to the latest restricted standards.',
      labels: ['fatal', ...REQUEST_LABELS],
    });
  }

  evaluated(
    attributes: AdmissionAttributes,
    mode: Mode,
    level: LevelVersion,
    decision: Decision,
  ): void {
    this.evaluations.inc({
      decision,
      policy_level: level.level,
      policy_version: versionOf(level),
      mode,
      ...aboutRequest(attributes),
    });
  }

  exempted(attributes: AdmissionAttributes): void {
    this.exemptions.inc(aboutRequest(attributes));
  }

  failed(attributes: AdmissionAttributes, isFatal: boolean): void {
    this.errors.inc({ fatal: String(isFatal), ...aboutRequest(attributes) });
  }
}
