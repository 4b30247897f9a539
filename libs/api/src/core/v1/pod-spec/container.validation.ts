import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { duplicate, forbidden, invalid, notFound, required } from '@orrery/apimachinery';
import type { Container, ContainerPort, VolumeMount } from '../../../types.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, portName, portNumber } from '../../../meta/names.js';
import { validateEnvironment } from './env.validation.js';
import { validateProbesAndHooks } from './probe.validation.js';
import { validateResources } from './resources.validation.js';
import { validateSecurityContext } from './security.validation.js';

/** What containers are checked against: the names of the pod's volumes. */
export interface ContainerScope {
  readonly volumes: ReadonlySet<string>;
  readonly hostNetwork: boolean;
}

function validatePorts(container: Container, scope: ContainerScope, path: FieldPath): FieldError[] {
  const names = new Set<string>();
  return eachOf(container.ports, (port, i) => {
    const at = path.index(i);
    const repeated = port.name !== undefined && names.has(port.name);
    if (port.name) names.add(port.name);
    return [
      ...(port.name ? check(portName, port.name, at.child('name')) : []),
      ...(port.name && repeated ? [duplicate(at.child('name'), port.name)] : []),
      ...validatePort(port, scope, at),
    ];
  });
}

function validatePort(port: ContainerPort, scope: ContainerScope, at: FieldPath): FieldError[] {
  const { containerPort, hostPort } = port;
  return [
    ...(containerPort
      ? portNumber(containerPort).map((m) => invalid(at.child('containerPort'), containerPort, m))
      : [required(at.child('containerPort'))]),
    ...(hostPort
      ? portNumber(hostPort).map((m) => invalid(at.child('hostPort'), hostPort, m))
      : []),
    ...(scope.hostNetwork && hostPort && hostPort !== containerPort
      ? [
          invalid(
            at.child('containerPort'),
            containerPort,
            'must match `hostPort` when `hostNetwork` is true',
          ),
        ]
      : []),
    ...oneOf(port.protocol, ['TCP', 'UDP', 'SCTP'], at.child('protocol')),
  ];
}

function validateSubPath(subPath: string, path: FieldPath): FieldError[] {
  if (subPath.startsWith('/')) return [invalid(path, subPath, 'must be a relative path')];
  return subPath.split('/').includes('..') ? [invalid(path, subPath, "must not contain '..'")] : [];
}

function validateMount(
  mount: VolumeMount,
  scope: ContainerScope,
  paths: ReadonlySet<string>,
  at: FieldPath,
): FieldError[] {
  const { name, mountPath, subPath, subPathExpr } = mount;
  return [
    ...(name ? [] : [required(at.child('name'))]),
    ...(scope.volumes.has(name) ? [] : [notFound(at.child('name'), name ?? '')]),
    ...(mountPath ? [] : [required(at.child('mountPath'))]),
    ...(paths.has(mountPath) ? [invalid(at.child('mountPath'), mountPath, 'must be unique')] : []),
    ...(subPath ? validateSubPath(subPath, at.child('subPath')) : []),
    ...(subPathExpr && subPath
      ? [
          invalid(
            at.child('subPathExpr'),
            subPathExpr,
            'subPathExpr and subPath are mutually exclusive',
          ),
        ]
      : []),
    ...oneOf(
      mount.mountPropagation,
      ['Bidirectional', 'HostToContainer', 'None'],
      at.child('mountPropagation'),
      false,
    ),
  ];
}

function validateMounts(
  container: Container,
  scope: ContainerScope,
  path: FieldPath,
): FieldError[] {
  const paths = new Set<string>();
  return eachOf(container.volumeMounts, (mount, i) => {
    const findings = validateMount(mount, scope, paths, path.index(i));
    paths.add(mount.mountPath);
    return findings;
  });
}

function validateImage(container: Container, path: FieldPath): FieldError[] {
  const image = String(container.image ?? '');
  if (image === '') return [required(path.child('image'))];
  return image.trim() === image
    ? []
    : [invalid(path.child('image'), image, 'must not have leading or trailing whitespace')];
}

/** k8s pkg/apis/core/validation/validation.go:validateContainerCommon. */
function validateCommon(
  container: Container,
  scope: ContainerScope,
  path: FieldPath,
): FieldError[] {
  return [
    ...(container.name
      ? check(dnsLabel, container.name, path.child('name'))
      : [required(path.child('name'))]),
    ...validateImage(container, path),
    ...oneOf(
      container.terminationMessagePolicy,
      ['File', 'FallbackToLogsOnError'],
      path.child('terminationMessagePolicy'),
    ),
    ...validatePorts(container, scope, path.child('ports')),
    ...validateEnvironment(container, path),
    ...validateMounts(container, scope, path.child('volumeMounts')),
    ...oneOf(
      container.imagePullPolicy,
      ['Always', 'IfNotPresent', 'Never'],
      path.child('imagePullPolicy'),
    ),
    ...validateResources(container.resources, path.child('resources')),
    ...validateSecurityContext(container.securityContext, path.child('securityContext')),
  ];
}

function duplicateNames(
  containers: readonly Container[],
  seen: Set<string>,
  path: FieldPath,
): FieldError[] {
  return containers.flatMap((container, i) => {
    if (!container.name) return [];
    if (seen.has(container.name)) return [duplicate(path.index(i).child('name'), container.name)];
    seen.add(container.name);
    return [];
  });
}

function hostPortConflicts(containers: readonly Container[], path: FieldPath): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap((container, i) =>
    eachOf(container.ports, (port, p) => {
      if (!port.hostPort) return [];
      const text = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (taken.has(text)) {
        return [duplicate(path.index(i).child('ports').index(p).child('hostPort'), text)];
      }
      taken.add(text);
      return [];
    }),
  );
}

function validateInitOnly(container: Container, path: FieldPath): FieldError[] {
  if (container.restartPolicy === 'Always') return validateProbesAndHooks(container, path);
  return (['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const).flatMap(
    (field) =>
      container[field] === undefined
        ? []
        : [
            forbidden(
              path.child(field),
              'may not be set for init containers without restartPolicy=Always',
            ),
          ],
  );
}

/** Containers and init containers of one pod spec: each by itself, then names and host ports among them. */
export function validateContainers(
  spec: { containers?: readonly Container[]; initContainers?: readonly Container[] },
  scope: ContainerScope,
  path: FieldPath,
): FieldError[] {
  const main = path.child('containers');
  const init = path.child('initContainers');
  const containers = list(spec.containers);
  const initContainers = list(spec.initContainers);
  const names = new Set<string>();
  if (containers.length === 0) return [required(main)];
  return [
    ...containers.flatMap((container, i) => [
      ...validateCommon(container, scope, main.index(i)),
      ...validateProbesAndHooks(container, main.index(i)),
    ]),
    ...duplicateNames(containers, names, main),
    ...hostPortConflicts(containers, main),
    ...initContainers.flatMap((container, i) => [
      ...validateCommon(container, scope, init.index(i)),
      ...validateInitOnly(container, init.index(i)),
    ]),
    ...duplicateNames(initContainers, names, init),
  ];
}
