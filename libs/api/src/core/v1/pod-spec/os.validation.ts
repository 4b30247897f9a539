import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { Container, PodSpec } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';

const NOT_ON_WINDOWS_POD = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;

const NOT_ON_WINDOWS_CONTAINER = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

const HOST_FIELDS = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const;

/** Every container of a pod with its path, init containers first, as upstream visits them. */
export function containersOf(spec: PodSpec, path: FieldPath): [Container, FieldPath][] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    list(spec[field] as readonly Container[] | undefined).map(
      (container, i): [Container, FieldPath] => [container, path.child(field).index(i)],
    ),
  );
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

function validateWindows(spec: PodSpec, path: FieldPath): FieldError[] {
  const text = 'cannot be set for a windows pod';
  const context = path.child('securityContext');
  const isSet = (field: (typeof HOST_FIELDS)[number]): boolean =>
    field === 'hostPID' || field === 'hostIPC' ? spec[field] === true : isGiven(spec[field]);
  return [
    ...NOT_ON_WINDOWS_POD.filter((field) => isGiven(spec.securityContext?.[field])).map((field) =>
      forbidden(context.child(field), text),
    ),
    ...HOST_FIELDS.filter(isSet).map((field) => forbidden(path.child(field), text)),
    ...containersOf(spec, path).flatMap(([container, at]) =>
      NOT_ON_WINDOWS_CONTAINER.filter((field) => isGiven(container.securityContext?.[field])).map(
        (field) => forbidden(at.child('securityContext', field), text),
      ),
    ),
  ];
}

function validateLinux(spec: PodSpec, path: FieldPath): FieldError[] {
  const text = 'windows options cannot be set for a linux pod';
  return [
    ...when(
      isGiven(spec.securityContext?.windowsOptions),
      forbidden(path.child('securityContext', 'windowsOptions'), text),
    ),
    ...containersOf(spec, path).flatMap(([container, at]) =>
      when(
        isGiven(container.securityContext?.windowsOptions),
        forbidden(at.child('securityContext', 'windowsOptions'), text),
      ),
    ),
  ];
}

/** spec.os, and what a pod of that system may not ask for. */
export function validateOs(spec: PodSpec, path: FieldPath): FieldError[] {
  if (!spec.os) return [];
  const { name } = spec.os;
  if (!name) return [required(path.child('os', 'name'))];
  if (name === 'linux') return validateLinux(spec, path);
  if (name === 'windows') return validateWindows(spec, path);
  return [notSupported(path.child('os'), name, ['linux', 'windows'])];
}

/** Containers that are processes of a Windows host: all of a pod's, or none. */
export function validateHostProcess(spec: PodSpec, path: FieldPath): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const all = containersOf(spec, path).map(
    ([container, at]) => [container.securityContext?.windowsOptions?.hostProcess, at] as const,
  );
  const hosted = all.filter(([own]) => own ?? ofPod ?? false).length;
  const text = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
  const mixed =
    'If pod contains any hostProcess containers then all containers must be HostProcess containers';
  return [
    ...all.flatMap(([own, at]) =>
      when(
        isGiven(own) && isGiven(ofPod) && own !== ofPod,
        invalid(at.child('securityContext', 'windowsOptions', 'hostProcess'), own, text),
      ),
    ),
    ...when(hosted > 0 && hosted !== all.length, invalid(path, '', mixed)),
    ...when(
      hosted > 0 && spec.hostNetwork !== true,
      invalid(
        path.child('hostNetwork'),
        false,
        'hostNetwork must be true if pod contains any hostProcess containers',
      ),
    ),
  ];
}
