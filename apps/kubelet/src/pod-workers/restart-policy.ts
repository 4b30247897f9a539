import type { Container, ContainerRestartRule, Pod } from '@orrery/api';
import { allContainers, isSidecar } from '../containers/visit.js';

type Policy = 'Always' | 'OnFailure' | 'Never';

/** The container's own policy wins over the pod's. */
export const restartPolicyOf = (pod: Pod, container: Container): Policy =>
  (container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always') as Policy;

function matches({ exitCodes }: ContainerRestartRule, exitCode: number): boolean {
  if (!exitCodes) return false;
  const listed = exitCodes.values?.includes(exitCode) === true;
  return exitCodes.operator === 'NotIn' ? !listed : listed;
}

/**
 * Whether a container that ended with this code runs again: the first rule that matches, else its policy
 * (k8s pkg/api/v1/pod/util.go:ContainerShouldRestart).
 */
export function restartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  const rule = container.restartPolicyRules?.find((one) => matches(one, exitCode));
  if (rule) return rule.action === 'Restart';
  const policy = restartPolicyOf(pod, container);
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** Some exit code makes the container run again. */
export function canRestart(pod: Pod, container: Container): boolean {
  return (
    isSidecar(container) ||
    restartPolicyOf(pod, container) !== 'Never' ||
    (container.restartPolicyRules?.length ?? 0) > 0
  );
}

/** No container of the pod ever runs twice. */
export const runsOnce = (pod: Pod): boolean =>
  !allContainers(pod).some((container) => canRestart(pod, container));
