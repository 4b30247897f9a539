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

/** What the first rule says that names the code (k8s pkg/api/v1/pod/util.go:FindMatchingContainerRestartRule). */
export const actionAfter = (container: Container, exitCode: number): string | undefined =>
  container.restartPolicyRules?.find((one) => matches(one, exitCode))?.action;

/**
 * Whether a container that ended with this code runs again, alone or with all others of its pod: the first rule that
 * matches, else its policy (k8s pkg/api/v1/pod/util.go:ContainerShouldRestart).
 */
export function restartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  const action = actionAfter(container, exitCode);
  if (action !== undefined) return action === 'Restart' || action === 'RestartAllContainers';
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
