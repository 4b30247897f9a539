import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, required } from '@orrery/apimachinery';
import type { PodSecurityContext, SeccompProfile, SecurityContext } from '../../../types.js';
import { oneOf } from '../../../meta/fields.js';

const MAX_ID = 2 ** 31 - 1;

function validateId(value: number | undefined, path: FieldPath): FieldError[] {
  return typeof value === 'number' && (value < 0 || value > MAX_ID)
    ? [invalid(path, value, `must be between 0 and ${MAX_ID}, inclusive`)]
    : [];
}

function validateSeccomp(profile: SeccompProfile | undefined, path: FieldPath): FieldError[] {
  if (!profile) return [];
  return [
    ...oneOf(profile.type, ['Localhost', 'RuntimeDefault', 'Unconfined'], path.child('type')),
    ...(profile.type === 'Localhost' && !profile.localhostProfile
      ? [required(path.child('localhostProfile'), 'must be set when seccomp type is Localhost')]
      : []),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidateSecurityContext. */
export function validateSecurityContext(
  context: SecurityContext | undefined,
  path: FieldPath,
): FieldError[] {
  if (!context) return [];
  const findings = [
    ...validateId(context.runAsUser, path.child('runAsUser')),
    ...validateId(context.runAsGroup, path.child('runAsGroup')),
    ...validateSeccomp(context.seccompProfile, path.child('seccompProfile')),
  ];
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) {
      findings.push(
        invalid(
          path,
          '',
          'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        ),
      );
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      findings.push(
        invalid(
          path,
          '',
          'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
        ),
      );
    }
  }
  return findings;
}

export function validatePodSecurityContext(
  context: PodSecurityContext | undefined,
  path: FieldPath,
): FieldError[] {
  if (!context) return [];
  return [
    ...validateId(context.fsGroup, path.child('fsGroup')),
    ...validateId(context.runAsUser, path.child('runAsUser')),
    ...validateId(context.runAsGroup, path.child('runAsGroup')),
    ...(context.supplementalGroups ?? []).flatMap((id, i) =>
      validateId(id, path.child('supplementalGroups').index(i)),
    ),
    ...validateSeccomp(context.seccompProfile, path.child('seccompProfile')),
    ...oneOf(
      context.fsGroupChangePolicy,
      ['Always', 'OnRootMismatch'],
      path.child('fsGroupChangePolicy'),
      false,
    ),
  ];
}
