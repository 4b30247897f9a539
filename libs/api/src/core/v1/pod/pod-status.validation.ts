import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, duplicate, forbidden, invalid, ipFaults } from '@orrery/apimachinery';
import type { ContainerStatus, Pod, PodSpec, PodStatus } from '../../../types.js';
import { given, when } from '../../../meta/findings.js';
import { ipFamilyOf } from '../../../meta/fields.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsSubdomain, qualifiedName } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { validateContainerReports, validateExtendedClaim } from './container-status.validation.js';
import { validatePodAnnotationsUpdate } from './pod-annotations.validation.js';

const STATUS = FieldPath.of('status');
const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized'];
const RESTARTED = 'may not be transitioned to non-terminated state';

function validateConditions(status: PodStatus): FieldError[] {
  const path = STATUS.child('conditions');
  return eachOf(status.conditions, ({ type, observedGeneration = 0 }, i) => [
    ...when(
      observedGeneration < 0,
      invalid(
        path.index(i).child('observedGeneration'),
        observedGeneration,
        'must be a non-negative integer',
      ),
    ),
    ...(SYSTEM_CONDITIONS.includes(type)
      ? []
      : check(qualifiedName, type, path.index(i).child('Type'))),
  ]);
}

type Ended = (status: ContainerStatus, exitCode: number) => boolean;

/** A container that has ended for good stays ended. */
function validateTransitions(
  now: readonly ContainerStatus[] | undefined,
  old: readonly ContainerStatus[] | undefined,
  endedForGood: Ended,
  path: Path,
): FieldError[] {
  return eachOf(old, (before, i) => {
    const ended = before.state?.terminated;
    if (!ended || !endedForGood(before, ended.exitCode ?? 0)) return [];
    const after = list(now).find(({ name }) => name === before.name);
    return when(
      after !== undefined && !after.state?.terminated,
      forbidden(path.index(i).child('state'), RESTARTED),
    );
  });
}

/** Whether the pod's policy, or the container's own, starts a container of that exit code again. */
function restarts(spec: PodSpec, name: string, exitCode: number, isInit: boolean): boolean {
  const containers = isInit ? spec.initContainers : spec.containers;
  const container = list(containers).find((each) => each.name === name);
  if (!container) return false;
  const rule = list(container.restartPolicyRules).find(({ exitCodes }) => {
    const isListed = list(exitCodes?.values).includes(exitCode);
    return exitCodes?.operator === 'In' ? isListed : !isListed;
  });
  if (rule) return rule.action === 'Restart';
  const policy = container.restartPolicy ?? spec.restartPolicy;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** Some exit code starts all containers of the pod again (k8s pkg/api/pod/util.go:AllContainersCouldRestart). */
const canRestartAll = (spec: PodSpec): boolean =>
  [...list(spec.initContainers), ...list(spec.containers)].some((container) =>
    list(container.restartPolicyRules).some(({ action }) => action === 'RestartAllContainers'),
  );

function validateStates(now: PodStatus, old: PodStatus, spec: PodSpec): FieldError[] {
  if (canRestartAll(spec)) return [];
  return [
    ...validateTransitions(
      now.containerStatuses,
      old.containerStatuses,
      ({ name }, code) => !restarts(spec, name, code, false),
      STATUS.child('containerStatuses'),
    ),
    ...validateTransitions(
      now.initContainerStatuses,
      old.initContainerStatuses,
      ({ name }, code) => !restarts(spec, name, code, true),
      STATUS.child('initContainerStatuses'),
    ),
    ...validateTransitions(
      now.ephemeralContainerStatuses,
      old.ephemeralContainerStatuses,
      () => true,
      STATUS.child('ephemeralContainerStatuses'),
    ),
  ];
}

function validateIps(
  ips: readonly { readonly ip?: string }[] | undefined,
  old: readonly { readonly ip?: string }[] | undefined,
  path: Path,
): FieldError[] {
  const known = new Set(list(old).map(({ ip }) => ip));
  const all = list(ips).map(({ ip }) => String(ip ?? ''));
  const families = new Set(all.map(ipFamilyOf));
  const isDual = all.length <= 1 || (all.length === 2 && families.size === 2);
  return [
    ...all.flatMap((ip, i) =>
      known.has(ip) ? [] : ipFaults(ip).map((fault) => invalid(path.index(i), ip, fault)),
    ),
    ...when(!isDual, invalid(path, ips, 'may specify no more than one IP for each IP family')),
  ];
}

function validateClaims(pod: Pod): FieldError[] {
  const path = STATUS.child('resourceClaimStatuses');
  const claims = list(pod.spec?.resourceClaims).map(({ name }) => name);
  const seen = new Set<string>();
  return eachOf(pod.status?.resourceClaimStatuses, ({ name, resourceClaimName }, i) => {
    const at = path.index(i).child('name');
    const isRepeated = seen.has(name);
    seen.add(name);
    const text = 'must match the name of an entry in `spec.resourceClaims`';
    return [
      ...when(!claims.includes(name), invalid(at, name, text)),
      ...when(isRepeated, duplicate(at, name)),
      ...given(resourceClaimName, (claim) =>
        check(dnsSubdomain, claim, path.index(i).child('resourceClaimName')),
      ),
    ];
  });
}

function validateNomination(pod: Pod, old: Pod): FieldError[] {
  const path = STATUS.child('nominatedNodeName');
  const now = pod.status?.nominatedNodeName ?? '';
  if (now === '' || now === (old.status?.nominatedNodeName ?? '')) return [];
  return [
    ...check(dnsSubdomain, now, path),
    ...when(
      Boolean(old.spec?.nodeName),
      forbidden(path, 'may not be set on pods that are already bound to a node'),
    ),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidatePodStatusUpdate. */
export function validatePodStatus(pod: Pod, old: Pod): FieldError[] {
  const now: PodStatus = pod.status ?? {};
  const before: PodStatus = old.status ?? {};
  const spec = old.spec ?? { containers: [] };
  const hostIps = list(now.hostIPs);
  return [
    ...validatePodAnnotationsUpdate(pod, old),
    ...validateConditions(now),
    ...when(
      (old.spec?.nodeName ?? '') !== (pod.spec?.nodeName ?? ''),
      forbidden(STATUS.child('nodeName'), 'may not be changed directly'),
    ),
    ...validateNomination(pod, old),
    ...when(
      (now.observedGeneration ?? 0) < 0,
      invalid(
        STATUS.child('observedGeneration'),
        now.observedGeneration,
        'must be a non-negative integer',
      ),
    ),
    ...immutable(now.qosClass, before.qosClass, STATUS.child('qosClass')),
    ...validateStates(now, before, spec),
    ...validateClaims(pod),
    ...validateExtendedClaim(now, pod.spec ?? { containers: [] }),
    ...validateIps(now.podIPs, before.podIPs, STATUS.child('podIPs')),
    ...when(
      hostIps.length > 0 && now.hostIP !== hostIps[0]?.ip,
      invalid(
        STATUS.child('hostIPs').index(0).child('ip'),
        hostIps[0]?.ip,
        'must be equal to `hostIP`',
      ),
    ),
    ...validateIps(now.hostIPs, before.hostIPs, STATUS.child('hostIPs')),
    ...validateContainerReports(now, pod.spec ?? { containers: [] }),
  ];
}
