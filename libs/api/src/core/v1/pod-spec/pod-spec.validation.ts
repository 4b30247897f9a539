import type { FieldError, FieldPath } from '@orrery/apimachinery';
import {
  duplicate,
  forbidden,
  invalid,
  isInRange,
  notFound,
  required,
  tooMany,
} from '@orrery/apimachinery';
import type { PodResourceClaim, PodSpec } from '../../../types.js';
import { oneOfThese } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { validateLabels } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain, qualifiedName } from '../../../meta/names.js';
import { validateTopologySpread } from '../scheduling/topology-spread.validation.js';
import { validateContainers, validateHostNetwork } from './container.validation.js';
import {
  validateDnsConfig,
  validateDnsPolicy,
  validateHostAliases,
  validateHostLabels,
  validateHostnames,
} from './dns.validation.js';
import { containersOf, validateHostProcess, validateOs } from './os.validation.js';
import { validatePodResources } from './pod-resources.validation.js';
import { validateResources } from './resources.validation.js';
import { validateAffinity, validateTolerations } from './scheduling.validation.js';
import { validatePodSecurityContext } from './security.validation.js';
import { checkVolumes } from './volume.validation.js';

const MAX_INT32 = 2 ** 31 - 1;

/** What is known of the object that the spec stands in. */
export interface PodSpecOwner {
  /** Absent in templates, whose pods are named later. */
  readonly podName?: string;
  /** True for pods, false for templates: of pods more is asked. */
  readonly isPod: boolean;
}

const name = (value: string | undefined, path: FieldPath): FieldError[] =>
  value ? check(dnsSubdomain, value, path) : [];

function validateReferences(spec: PodSpec, path: FieldPath): FieldError[] {
  return [
    ...name(spec.serviceAccountName, path.child('serviceAccountName')),
    ...name(spec.nodeName, path.child('nodeName')),
    ...given(spec.activeDeadlineSeconds, (seconds) =>
      isInRange(seconds, 1, MAX_INT32).map((message) =>
        invalid(path.child('activeDeadlineSeconds'), seconds, message),
      ),
    ),
    ...validateHostLabels(spec, path),
    ...validateTolerations(spec.tolerations, path.child('tolerations')),
    ...validateHostAliases(spec, path.child('hostAliases')),
    ...name(spec.priorityClassName, path.child('priorityClassName')),
    ...given(spec.runtimeClassName, (value) =>
      check(dnsSubdomain, value, path.child('runtimeClassName')),
    ),
    ...given(spec.preemptionPolicy, (value) =>
      oneOfThese(value, ['PreemptLowerPriority', 'Never'], path.child('preemptionPolicy')),
    ),
    ...given(spec.overhead, (limits) => validateResources({ limits }, path.child('overhead'))),
  ];
}

function validateGates(spec: PodSpec, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return [
    ...eachOf(spec.readinessGates, ({ conditionType }, i) =>
      check(
        qualifiedName,
        conditionType,
        path.child('readinessGates').index(i).child('conditionType'),
      ),
    ),
    ...eachOf(spec.schedulingGates, (gate, i) => {
      const at = path.child('schedulingGates').index(i);
      const isRepeated = seen.has(gate.name);
      seen.add(gate.name);
      return [
        ...check(qualifiedName, gate.name, at),
        ...when(isRepeated, duplicate(at, gate.name)),
      ];
    }),
  ];
}

function validateClaim(claim: PodResourceClaim, path: FieldPath): FieldError[] {
  const { resourceClaimName, resourceClaimTemplateName } = claim;
  const hasName = resourceClaimName !== undefined && resourceClaimName !== null;
  const hasTemplate = resourceClaimTemplateName !== undefined && resourceClaimTemplateName !== null;
  const names = '`resourceClaimName`, `resourceClaimTemplateName`';
  // As upstream's internal type prints.
  const shown = {
    Name: claim.name ?? '',
    ResourceClaimName: resourceClaimName ?? null,
    ResourceClaimTemplateName: resourceClaimTemplateName ?? null,
  };
  return [
    ...when(
      hasName && hasTemplate,
      invalid(
        path,
        shown,
        'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
      ),
    ),
    ...when(!hasName && !hasTemplate, invalid(path, shown, `must specify one of: ${names}`)),
    ...given(resourceClaimName, (value) =>
      check(dnsSubdomain, value, path.child('resourceClaimName')),
    ),
    ...given(resourceClaimTemplateName, (value) =>
      check(dnsSubdomain, value, path.child('resourceClaimTemplateName')),
    ),
  ];
}

function validateClaims(spec: PodSpec, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return eachOf(spec.resourceClaims, (claim, i) => {
    const at = path.index(i).child('name');
    const isRepeated = seen.has(claim.name);
    seen.add(claim.name);
    const named = isRepeated ? [duplicate(at, claim.name)] : check(dnsLabel, claim.name, at);
    return [...(claim.name ? named : [required(at)]), ...validateClaim(claim, path.index(i))];
  });
}

/** Pods with users of their own share nothing with the host. */
function validateHostUsers(spec: PodSpec, path: FieldPath): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const text = 'when `hostUsers` is false';
  return [
    ...when(spec.hostNetwork === true, forbidden(path.child('hostNetwork'), text)),
    // Upstream writes these two with a capital letter.
    ...when(spec.hostPID === true, forbidden(path.child('HostPID'), text)),
    ...when(spec.hostIPC === true, forbidden(path.child('HostIPC'), text)),
    ...containersOf(spec, path).flatMap(([container, at]) =>
      when(list(container.volumeDevices).length > 0, forbidden(at.child('volumeDevices'), text)),
    ),
  ];
}

/** Variables read from files need an emptyDir to be read from. */
function validateFileVolumes(spec: PodSpec, path: FieldPath): FieldError[] {
  return containersOf(spec, path).flatMap(([container, at]) =>
    eachOf(container.env, ({ valueFrom }, i) => {
      const ref = valueFrom?.fileKeyRef;
      if (!ref) return [];
      const volume = list(spec.volumes).find((each) => each.name === ref.volumeName);
      const here = at.child('env').index(i).child('valueFrom', 'fileKeyRef', 'volumeName');
      const text = 'referenced volume must be of type emptyDir';
      return volume
        ? when(!volume.emptyDir, invalid(here, ref.volumeName, text))
        : [notFound(here, ref.volumeName ?? '')];
    }),
  );
}

/** Upstream knows no limit; each container is checked in dozens of ways, which holds up all others. */
const MAX_CONTAINERS = 1000;

const validateContainerCounts = (spec: PodSpec, path: FieldPath): FieldError[] =>
  (['containers', 'initContainers', 'ephemeralContainers'] as const).flatMap((field) => {
    const { length } = list(spec[field]);
    return when(length > MAX_CONTAINERS, tooMany(path.child(field), length, MAX_CONTAINERS));
  });

/** k8s pkg/apis/core/validation/validation.go:ValidatePodSpec. */
export function validatePodSpec(
  podSpec: PodSpec | undefined,
  path: FieldPath,
  owner: PodSpecOwner = { isPod: false },
): FieldError[] {
  const spec: PodSpec = podSpec ?? { containers: [] };
  const many = validateContainerCounts(spec, path);
  if (many.length > 0) return many;
  const grace = path.child('terminationGracePeriodSeconds');
  const volumes = checkVolumes(spec.volumes, path.child('volumes'), owner.podName);
  return [
    ...when((spec.terminationGracePeriodSeconds ?? null) === null, required(grace)),
    ...volumes.findings,
    ...validateClaims(spec, path.child('resourceClaims')),
    ...validateContainers({ spec, volumes: volumes.known }, path),
    ...validatePodResources(spec, path),
    ...validateHostNetwork(spec, path.child('containers'), owner.isPod),
    ...oneOfThese(
      spec.restartPolicy,
      ['Always', 'OnFailure', 'Never'],
      path.child('restartPolicy'),
    ),
    ...validateDnsPolicy(spec, path),
    ...validateLabels(spec.nodeSelector, path.child('nodeSelector')),
    ...validatePodSecurityContext(spec.securityContext, spec, path.child('securityContext')),
    ...validateAffinity(spec.affinity, path.child('affinity')),
    ...validateDnsConfig(spec, path.child('dnsConfig')),
    ...validateGates(spec, path),
    ...validateTopologySpread(
      spec.topologySpreadConstraints,
      path.child('topologySpreadConstraints'),
    ),
    ...validateHostProcess(spec, path),
    ...validateHostUsers(spec, path),
    ...validateHostnames(spec, path),
    ...validateReferences(spec, path),
    ...validateOs(spec, path),
    ...validateFileVolumes(spec, path),
  ];
}
