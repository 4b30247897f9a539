import type { FieldError, FieldPath } from '@orrery/apimachinery';
import {
  duplicate,
  invalid,
  isUnixId,
  notSupported,
  required,
  tooLong,
} from '@orrery/apimachinery';
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
  Sysctl,
} from '../../../types.js';
import { given, when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { eachOf, list } from '../../../meta/list.js';
import { validateWindowsOptions } from '../container/windows-options.validation.js';
import { descendingPath } from '../volume-source/file-path.js';

const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
/** PATH_MAX - 1. */
const MAX_PROFILE_PATH = 4095;
const MAX_SYSCTL = 253;
const SYSCTL_TEXT = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const SYSCTL = new RegExp(SYSCTL_TEXT);

const validateId = (value: number | undefined, path: FieldPath): FieldError[] =>
  given(value, (id) => isUnixId(id).map((message) => invalid(path, id, message)));

function profileType(type: string | undefined, field: string, path: FieldPath): FieldError[] {
  if (!type) return [required(path, `type is required when ${field} is set`)];
  return when(!PROFILES.includes(type), notSupported(path, type, PROFILES));
}

function validateSeccomp(profile: SeccompProfile | undefined, path: FieldPath): FieldError[] {
  if (!profile) return [];
  const at = path.child('localhostProfile');
  const file = profile.localhostProfile;
  const isLocal = profile.type === 'Localhost';
  return [
    ...profileType(profile.type, 'seccompProfile', path.child('type')),
    ...when(
      isLocal && (file === undefined || file === null),
      required(at, 'must be set when seccomp type is Localhost'),
    ),
    ...(isLocal && file ? descendingPath(file, at) : []),
    ...when(
      !isLocal && file !== undefined,
      invalid(
        at,
        internalForm(profile, 'core/v1.SeccompProfile'),
        'can only be set when seccomp type is Localhost',
      ),
    ),
  ];
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: FieldPath): FieldError[] {
  if (!profile) return [];
  const at = path.child('localhostProfile');
  const file = profile.localhostProfile;
  if (profile.type !== 'Localhost') {
    const findings = profileType(profile.type, 'appArmorProfile', path.child('type'));
    const text = 'can only be set when AppArmor type is Localhost';
    return [
      ...findings,
      ...when(findings.length === 0 && file !== undefined, invalid(at, file, text)),
    ];
  }
  const name = String(file ?? '');
  if (name === '') return [required(at, 'must be set when AppArmor type is Localhost')];
  return [
    ...when(name.trim() !== name, invalid(at, name, 'must not be padded with whitespace')),
    ...when(name.length > MAX_PROFILE_PATH, tooLong(at, MAX_PROFILE_PATH)),
  ];
}

function validateEscalation(context: SecurityContext, path: FieldPath): FieldError[] {
  if (context.allowPrivilegeEscalation !== false) return [];
  const added = list(context.capabilities?.add);
  const refuse = (what: string): FieldError =>
    invalid(
      path,
      internalForm(context, 'core/v1.SecurityContext'),
      `cannot set \`allowPrivilegeEscalation\` to false and ${what}`,
    );
  return [
    ...(context.privileged === true ? [refuse('`privileged` to true')] : []),
    ...added
      .filter((name) => name === 'CAP_SYS_ADMIN')
      .map(() => refuse('`capabilities.Add` CAP_SYS_ADMIN')),
  ];
}

const PROC_MOUNTS = ['Default', 'Unmasked'];

/** k8s pkg/apis/core/validation/validation.go:ValidateSecurityContext. */
export function validateSecurityContext(
  context: SecurityContext | undefined,
  path: FieldPath,
  hostUsers: boolean,
): FieldError[] {
  if (!context) return [];
  const proc = path.child('procMount');
  return [
    ...validateId(context.runAsUser, path.child('runAsUser')),
    ...validateId(context.runAsGroup, path.child('runAsGroup')),
    ...given(context.procMount, (type) => [
      ...when(!PROC_MOUNTS.includes(type), notSupported(proc, type, PROC_MOUNTS)),
      ...when(
        hostUsers && type === 'Unmasked',
        invalid(proc, type, '`hostUsers` must be false to use `Unmasked`'),
      ),
    ]),
    ...validateSeccomp(context.seccompProfile, path.child('seccompProfile')),
    ...validateEscalation(context, path),
    ...validateWindowsOptions(context.windowsOptions, path.child('windowsOptions')),
    ...validateAppArmor(context.appArmorProfile, path.child('appArmorProfile')),
  ];
}

/** Namespaces of sysctls that a pod shares with its host (k8s component-helpers/node/util/sysctl). */
function sharedWithHost(name: string, spec: PodSpec): string | undefined {
  const dotted = name.replaceAll('/', '.');
  if (spec.hostNetwork && dotted.startsWith('net.')) return 'hostNetwork';
  const isIpc = /^(kernel\.(shm|msg)|fs\.mqueue\.)/.test(dotted) || dotted === 'kernel.sem';
  return spec.hostIPC && isIpc ? 'hostIPC' : undefined;
}

function validateSysctls(
  sysctls: readonly Sysctl[] | undefined,
  spec: PodSpec,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return eachOf(sysctls, ({ name }, i) => {
    const at = path.index(i).child('name');
    const isRepeated = seen.has(name);
    seen.add(name);
    if (!name) return [required(at)];
    const isLegal = name.length <= MAX_SYSCTL && SYSCTL.test(name);
    const text = `must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL_TEXT}`;
    const shared = sharedWithHost(name, spec);
    return [
      ...when(!isLegal, invalid(at, name, text)),
      ...when(isLegal && isRepeated, duplicate(at, name)),
      ...when(
        shared !== undefined,
        invalid(at, name, `may not be specified when '${shared}' is true`),
      ),
    ];
  });
}

const oneOfGiven = (
  value: string | undefined,
  legal: readonly string[],
  path: FieldPath,
): FieldError[] =>
  given(value, (each) => when(!legal.includes(each), notSupported(path, each, legal)));

/** k8s pkg/apis/core/validation/validation.go:validatePodSpecSecurityContext. */
export function validatePodSecurityContext(
  context: PodSecurityContext | undefined,
  spec: PodSpec,
  path: FieldPath,
): FieldError[] {
  if (!context) return [];
  return [
    ...validateId(context.fsGroup, path.child('fsGroup')),
    ...validateId(context.runAsUser, path.child('runAsUser')),
    ...validateId(context.runAsGroup, path.child('runAsGroup')),
    ...eachOf(context.supplementalGroups, (id, i) =>
      validateId(id, path.child('supplementalGroups').index(i)),
    ),
    ...when(
      spec.shareProcessNamespace === true && spec.hostPID === true,
      invalid(
        path.child('shareProcessNamespace'),
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    ),
    ...validateSysctls(context.sysctls, spec, path.child('sysctls')),
    ...oneOfGiven(
      context.fsGroupChangePolicy,
      ['Always', 'OnRootMismatch'],
      path.child('fsGroupChangePolicy'),
    ),
    ...validateSeccomp(context.seccompProfile, path.child('seccompProfile')),
    ...validateWindowsOptions(context.windowsOptions, path.child('windowsOptions')),
    ...validateAppArmor(context.appArmorProfile, path.child('appArmorProfile')),
    ...oneOfGiven(
      context.supplementalGroupsPolicy,
      ['Merge', 'Strict'],
      path.child('supplementalGroupsPolicy'),
    ),
    ...oneOfGiven(
      context.seLinuxChangePolicy,
      ['MountOption', 'Recursive'],
      path.child('seLinuxChangePolicy'),
    ),
  ];
}
