import { FieldPath, ipWarning } from '@orrery/apimachinery';
import type { PodSpec, PodTemplateSpec } from '../../../types.js';
import { eachOf, list } from '../../../meta/list.js';
import { containersOf } from '../pod-spec/os.validation.js';
import { containerWarnings, fractionalBytes } from './container-warnings.js';
import { nodeWarnings, selectorWarnings } from './scheduling-warnings.js';
import { volumeWarnings } from './volume-warnings.js';

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

const DEPRECATED: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod':
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls':
    'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls':
    'non-functional in v1.11+; use the "sysctls" field instead',
};

type Annotations = Readonly<Record<string, string>>;

function annotationWarnings(annotations: Annotations, path: FieldPath): string[] {
  return Object.entries(DEPRECATED)
    .filter(([key]) => key in annotations)
    .map(([key, text]) => `${path.key(key).toString()}: ${text}`);
}

/** Annotations of old where the field that took their place is empty. */
function profileWarnings(spec: PodSpec, annotations: Annotations, path: FieldPath): string[] {
  const seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';
  const armor = 'deprecated since v1.30; use the "appArmorProfile" field instead';
  const isTemplate = !path.toString().startsWith('metadata');
  const warn = (key: string, text: string, isOld: boolean): string[] =>
    isOld && key in annotations ? [`${path.key(key).toString()}: ${text}`] : [];
  return [
    ...warn(SECCOMP_POD, seccomp, !spec.securityContext?.seccompProfile),
    ...containersOf(spec, path).flatMap(([{ name, securityContext }]) => [
      ...warn(`${SECCOMP_CONTAINER}${name}`, seccomp, !securityContext?.seccompProfile),
      ...warn(
        `${APPARMOR}${name}`,
        armor,
        isTemplate && !spec.securityContext?.appArmorProfile && !securityContext?.appArmorProfile,
      ),
    ]),
  ];
}

function repeated(items: readonly string[], what: string, at: (i: number) => FieldPath): string[] {
  const seen = new Set<string>();
  return items.flatMap((item, i) => {
    const isRepeated = seen.has(item);
    seen.add(item);
    return isRepeated ? [`${at(i).toString()}: duplicate ${what} ${JSON.stringify(item)}`] : [];
  });
}

function listWarnings(spec: PodSpec, path: FieldPath): string[] {
  const aliases = path.child('hostAliases');
  const secrets = path.child('imagePullSecrets');
  const names = list(spec.imagePullSecrets).map(({ name }) => name ?? '');
  return [
    ...repeated(
      list(spec.hostAliases).map(({ ip }) => ip),
      'ip',
      (i) => aliases.index(i).child('ip'),
    ),
    ...repeated(names, 'name', (i) => secrets.index(i).child('name')),
    ...names.flatMap((name, i) =>
      name === '' ? [`${secrets.index(i).child('name').toString()}: invalid empty name ""`] : [],
    ),
    ...fractionalBytes(spec.overhead, path.child('overhead')),
  ];
}

function addressWarnings(spec: PodSpec, path: FieldPath): string[] {
  const servers = path.child('dnsConfig', 'nameservers');
  const aliases = path.child('hostAliases');
  return [
    ...eachOf(spec.dnsConfig?.nameservers, (ip, i) => [ipWarning(servers.index(i).toString(), ip)]),
    ...eachOf(spec.hostAliases, ({ ip }, i) => [
      ipWarning(aliases.index(i).child('ip').toString(), ip),
    ]),
  ].filter((warning) => warning !== undefined);
}

/** What upstream warns of in a pod, or in a template at `path` (k8s pkg/api/pod/warnings.go). */
export function podWarnings(
  template: PodTemplateSpec | undefined,
  path: FieldPath = FieldPath.of(),
): string[] {
  const spec = template?.spec;
  if (!spec) return [];
  const at = path.child('spec');
  const annotations = template.metadata?.annotations ?? {};
  const named = path.child('metadata', 'annotations');
  const grace = at.child('terminationGracePeriodSeconds').toString();
  return [
    ...nodeWarnings(spec, at),
    ...annotationWarnings(annotations, named),
    ...volumeWarnings(spec.volumes, at.child('volumes')),
    ...listWarnings(spec, at),
    ...profileWarnings(spec, annotations, named),
    ...containerWarnings(spec, at),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${grace}: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...selectorWarnings(spec, at),
    ...addressWarnings(spec, at),
  ];
}
