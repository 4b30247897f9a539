import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid } from '@orrery/apimachinery';
import type { AppArmorProfile, Pod, PodSpec, SeccompProfile } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { entries, own } from '../../../meta/list.js';
import { containersOf } from '../pod-spec/os.validation.js';
import { descendingPath } from '../volume-source/file-path.js';

const PATH = FieldPath.of('metadata', 'annotations');
export const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
/** Before the name of a container: its AppArmor profile. */
export const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

function isDeletionCost(text: string): boolean {
  if (!/^(0|[+-]?[1-9][0-9]*)$/.test(text) || text.startsWith('+')) return false;
  return Math.abs(Number(text)) <= 2 ** 31 && Number(text) < 2 ** 31;
}

function validateSeccomp(profile: string, path: Path): FieldError[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return [];
  return profile.startsWith('localhost/')
    ? descendingPath(profile.slice('localhost/'.length), path)
    : [invalid(path, profile, 'must be a valid seccomp profile')];
}

function validateAppArmor(
  key: string,
  profile: string,
  spec: PodSpec | undefined,
  path: Path,
): FieldError[] {
  const container = key.slice(APPARMOR.length);
  const names = containersOf(spec ?? { containers: [] }, path).map(([each]) => each.name);
  const isLegal =
    ['', 'runtime/default', 'unconfined'].includes(profile) || profile.startsWith('localhost/');
  const text = `invalid AppArmor profile name: ${JSON.stringify(profile)}`;
  return [
    ...when(!names.includes(container), invalid(path.key(key), container, 'container not found')),
    ...when(!isLegal, invalid(path.key(key), profile, text)),
  ];
}

interface Annotated {
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Annotations of a pod or of a template at `path`.
 * (k8s pkg/apis/core/validation/validation.go:ValidatePodSpecificAnnotations).
 */
export function validatePodAnnotations(
  metadata: Annotated | undefined,
  spec: PodSpec | undefined,
  path: Path,
): FieldError[] {
  const annotations = metadata?.annotations ?? {};
  const mirror = annotations[MIRROR];
  const cost = annotations[DELETION_COST];
  return [
    ...when(
      mirror !== undefined && !spec?.nodeName,
      invalid(path.key(MIRROR), mirror, 'must set spec.nodeName if mirror pod annotation is set'),
    ),
    ...when(
      cost !== undefined && !isDeletionCost(String(cost)),
      invalid(path.key(DELETION_COST), cost, 'must be a 32bit integer'),
    ),
    ...entries(annotations).flatMap(([key, value]) => {
      if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) {
        return validateSeccomp(String(value), path.child(key));
      }
      return key.startsWith(APPARMOR) ? validateAppArmor(key, String(value), spec, path) : [];
    }),
  ];
}

/** Annotations that say what a pod runs under stay as they were (ValidatePodSpecificAnnotationUpdates). */
export function validatePodAnnotationsUpdate(pod: Pod, old: Pod): FieldError[] {
  const now = pod.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  const changed = entries(before).filter(([key, value]) => now[key] !== value);
  const added = entries(now).filter(([key]) => !(key in before));
  const refuse = (key: string, armor: string, mirror: string): FieldError[] => [
    ...when(key.startsWith(APPARMOR), forbidden(PATH.key(key), `${armor} AppArmor annotations`)),
    ...when(key === MIRROR, forbidden(PATH.key(key), `${mirror} mirror pod annotation`)),
  ];
  return [
    ...changed.flatMap(([key]) =>
      refuse(key, 'may not remove or update', 'may not remove or update'),
    ),
    ...added.flatMap(([key]) => refuse(key, 'may not add', 'may not add')),
    ...validatePodAnnotations(pod.metadata, pod.spec, PATH),
  ];
}

interface Profile {
  readonly type?: string;
  readonly localhostProfile?: string;
}

const TYPES: Readonly<Record<string, readonly string[]>> = {
  Unconfined: ['unconfined'],
  RuntimeDefault: ['runtime/default', 'docker/default'],
};

/** The old annotation and the field that took its place must say the same. */
function validateMatch(
  annotation: string | undefined,
  profile: Profile | undefined,
  what: string,
  path: Path,
): FieldError[] {
  if (annotation === undefined || !profile) return [];
  const mismatch = (field: string, part: string): FieldError[] => [
    forbidden(path.child(field), `${what} ${part} in annotation and field must match`),
  ];
  if (profile.type !== 'Localhost') {
    const legal = own(TYPES, profile.type ?? '');
    return legal && !legal.includes(annotation) ? mismatch('type', 'type') : [];
  }
  if (!annotation.startsWith('localhost/')) return mismatch('type', 'type');
  return annotation.slice('localhost/'.length) === profile.localhostProfile
    ? []
    : mismatch('localhostProfile', 'profile');
}

const isProfile = (key: string): boolean =>
  key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER) || key.startsWith(APPARMOR);

/** Of new pods and of templates: annotations of old beside the fields of today. */
export function validateProfilesMatch(
  metadata: Annotated | undefined,
  podSpec: PodSpec | undefined,
  path: Path,
): FieldError[] {
  const annotations = metadata?.annotations ?? {};
  if (!Object.keys(annotations).some(isProfile)) return [];
  const spec = podSpec ?? { containers: [] };
  const ofPod: { seccomp?: SeccompProfile; armor?: AppArmorProfile } = {
    ...(spec.securityContext?.seccompProfile
      ? { seccomp: spec.securityContext.seccompProfile }
      : {}),
    ...(spec.securityContext?.appArmorProfile
      ? { armor: spec.securityContext.appArmorProfile }
      : {}),
  };
  const containers = containersOf(spec, path);
  return [
    ...validateMatch(
      annotations[SECCOMP_POD],
      ofPod.seccomp,
      'seccomp',
      path.child('securityContext', 'seccompProfile'),
    ),
    ...containers.flatMap(([{ name, securityContext }, at]) =>
      validateMatch(
        annotations[`${SECCOMP_CONTAINER}${name}`],
        securityContext?.seccompProfile,
        'seccomp',
        at.child('securityContext', 'seccompProfile'),
      ),
    ),
    ...containers.flatMap(([{ name, securityContext }, at]) =>
      validateMatch(
        spec.os?.name === 'windows' ? undefined : annotations[`${APPARMOR}${name}`],
        securityContext?.appArmorProfile ?? ofPod.armor,
        'apparmor',
        at.child('securityContext', 'appArmorProfile'),
      ),
    ),
  ];
}
