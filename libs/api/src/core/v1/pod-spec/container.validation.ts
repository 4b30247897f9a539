import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { duplicate, forbidden, invalid, notFound, required } from '@orrery/apimachinery';
import type { Container, EphemeralContainer, PodSpec } from '../../../types.js';
import { oneOf, oneOfThese } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, portName, portNumber } from '../../../meta/names.js';
import type { VolumesByName } from '../container/mounts.validation.js';
import { validateDevices, validateMounts } from '../container/mounts.validation.js';
import { validateInitRestart, validateRestart } from '../container/restart.validation.js';
import { validateEnvironment } from './env.validation.js';
import { validateProbesAndHooks } from './probe.validation.js';
import { validateResizePolicies, validateResources } from './resources.validation.js';
import { validateSecurityContext } from './security.validation.js';

/** What containers are checked against. */
export interface ContainerScope {
  readonly spec: PodSpec;
  readonly volumes: VolumesByName;
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

function validatePorts(container: Container, path: FieldPath): FieldError[] {
  const names = new Set<string>();
  return eachOf(container.ports, ({ name, containerPort, hostPort, protocol }, i) => {
    const at = path.index(i);
    const faults = name ? portName(name) : [];
    const isRepeated = Boolean(name) && faults.length === 0 && names.has(name ?? '');
    if (name && faults.length === 0) names.add(name);
    return [
      ...faults.map((message) => invalid(at.child('name'), name, message)),
      ...when(isRepeated, duplicate(at.child('name'), name)),
      ...(containerPort
        ? portNumber(containerPort).map((m) => invalid(at.child('containerPort'), containerPort, m))
        : [required(at.child('containerPort'))]),
      ...(hostPort
        ? portNumber(hostPort).map((m) => invalid(at.child('hostPort'), hostPort, m))
        : []),
      ...oneOf(protocol, PROTOCOLS, at.child('protocol')),
    ];
  });
}

/** k8s pkg/apis/core/validation/validation.go:validateContainerCommon. */
function validateCommon(
  container: Container,
  { spec, volumes }: ContainerScope,
  path: FieldPath,
): FieldError[] {
  const claims = list(spec.resourceClaims).map(({ name }) => name);
  return [
    ...(container.name
      ? check(dnsLabel, container.name, path.child('name'))
      : [required(path.child('name'))]),
    ...when(!container.image, required(path.child('image'))),
    ...oneOfThese(
      container.terminationMessagePolicy,
      ['File', 'FallbackToLogsOnError'],
      path.child('terminationMessagePolicy'),
    ),
    ...validatePorts(container, path.child('ports')),
    ...validateEnvironment(container, path),
    ...validateMounts(container, volumes, path.child('volumeMounts')),
    ...validateDevices(container, volumes, path.child('volumeDevices')),
    ...oneOf(
      container.imagePullPolicy,
      ['Always', 'IfNotPresent', 'Never'],
      path.child('imagePullPolicy'),
    ),
    ...validateResources(container.resources, path.child('resources'), claims),
    ...validateResizePolicies(
      container.resizePolicy,
      spec.restartPolicy,
      path.child('resizePolicy'),
    ),
    ...validateSecurityContext(
      container.securityContext,
      path.child('securityContext'),
      spec.hostUsers !== false,
    ),
  ];
}

/** Host ports that two of the containers ask for. */
function hostPortConflicts(containers: readonly Container[], path: FieldPath): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap((container, i) =>
    eachOf(container.ports, (port, p) => {
      if (!port.hostPort) return [];
      const text = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
      const at = path.index(i).child('ports').index(p).child('hostPort');
      const found = when(taken.has(text), duplicate(at, text));
      taken.add(text);
      return found;
    }),
  );
}

const NOT_IN_INIT = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

function validateInitHooks(container: Container, spec: PodSpec, path: FieldPath): FieldError[] {
  if (container.restartPolicy === 'Always') return validateProbesAndHooks(container, spec, path);
  const text = 'may not be set for init containers without restartPolicy=Always';
  return NOT_IN_INIT.filter((field) => container[field]).map((field) =>
    forbidden(path.child(field), text),
  );
}

/** Only what runs beside the pod's containers can be restarted by a resize. */
function validateInitResize(container: Container, at: FieldPath): FieldError[] {
  const path = at.child('resizePolicy');
  const text = "must not be set to 'RestartContainer' for non-sidecar initContainers";
  return eachOf(container.resizePolicy, ({ restartPolicy }, i) =>
    when(
      restartPolicy === 'RestartContainer',
      invalid(path.index(i).child('restartPolicy'), restartPolicy, text),
    ),
  );
}

function validateMain(scope: ContainerScope, path: FieldPath): FieldError[] {
  const containers = list(scope.spec.containers);
  const names = new Set<string>();
  if (containers.length === 0) return [required(path)];
  return [
    ...containers.flatMap((container, i) => {
      const at = path.index(i);
      const isRepeated = names.has(container.name);
      names.add(container.name);
      return [
        ...validateCommon(container, scope, at),
        ...when(isRepeated, duplicate(at.child('name'), container.name)),
        ...validateProbesAndHooks(container, scope.spec, at),
        ...validateRestart(container, at),
      ];
    }),
    ...hostPortConflicts(containers, path),
  ];
}

function validateInit(scope: ContainerScope, path: FieldPath): FieldError[] {
  const names = new Set(list(scope.spec.containers).map(({ name }) => name));
  return list(scope.spec.initContainers).flatMap((container, i) => {
    const at = path.index(i);
    const isRepeated = names.has(container.name);
    if (container.name) names.add(container.name);
    return [
      ...validateCommon(container, scope, at),
      ...validateInitRestart(container, at),
      ...when(isRepeated, duplicate(at.child('name'), container.name)),
      ...hostPortConflicts([container], path),
      ...validateInitHooks(container, scope.spec, at),
      ...(container.restartPolicy === 'Always' ? [] : validateInitResize(container, at)),
    ];
  });
}

const NOT_IN_EPHEMERAL = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

const isSet = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);

function validateEphemeralFields(container: EphemeralContainer, at: FieldPath): FieldError[] {
  const text = 'cannot be set for an Ephemeral Container';
  return [
    ...NOT_IN_EPHEMERAL.filter((field) => isSet(container[field])).map((field) =>
      forbidden(at.child(field), text),
    ),
    ...eachOf(container.volumeMounts, ({ subPath, subPathExpr }, m) => {
      const mount = at.child('volumeMounts').index(m);
      return [
        ...when(Boolean(subPath), forbidden(mount.child('subPath'), text)),
        ...when(Boolean(subPathExpr), forbidden(mount.child('subPathExpr'), text)),
      ];
    }),
  ];
}

function validateEphemeral(scope: ContainerScope, path: FieldPath): FieldError[] {
  const { containers, initContainers, ephemeralContainers } = scope.spec;
  const others = new Set([...list(containers), ...list(initContainers)].map(({ name }) => name));
  const names = new Set(others);
  return list(ephemeralContainers).flatMap((container, i) => {
    const at = path.index(i);
    const isRepeated = names.has(container.name);
    const target = container.targetContainerName;
    names.add(container.name);
    return [
      ...validateCommon(container, scope, at),
      ...validateImageSpace(container, at),
      ...when(isRepeated, duplicate(at.child('name'), container.name)),
      ...when(
        Boolean(target) && !others.has(target ?? ''),
        notFound(at.child('targetContainerName'), target),
      ),
      ...validateEphemeralFields(container, at),
    ];
  });
}

/** Checked in pods alone, since templates of old have such images. */
export function validateImageSpace(container: Container, path: FieldPath): FieldError[] {
  const image = String(container.image ?? '');
  if (image.trim() === image) return [];
  return [invalid(path.child('image'), image, 'must not have leading or trailing whitespace')];
}

/** On the host's network a port is the host's port. */
export function validateHostNetwork(spec: PodSpec, path: FieldPath, isPod: boolean): FieldError[] {
  if (!spec.hostNetwork) return [];
  return eachOf(spec.containers, (container, i) =>
    eachOf(container.ports, ({ hostPort = 0, containerPort }, p) =>
      when(
        (isPod || hostPort !== 0) && hostPort !== containerPort,
        invalid(
          path.index(i).child('ports').index(p).child('hostPort'),
          hostPort,
          'must match `containerPort` when `hostNetwork` is true',
        ),
      ),
    ),
  );
}

/** All containers of one pod spec. */
export const validateContainers = (scope: ContainerScope, path: FieldPath): FieldError[] => [
  ...validateMain(scope, path.child('containers')),
  ...validateInit(scope, path.child('initContainers')),
  ...validateEphemeral(scope, path.child('ephemeralContainers')),
];
