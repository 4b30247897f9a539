import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { duplicate, forbidden, invalid, required } from '@orrery/apimachinery';
import type { PodSpec } from '../../../types.js';
import { nonNegative, oneOf, validateIp } from '../../../meta/fields.js';
import { validateLabels } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain, qualifiedName } from '../../../meta/names.js';
import { validateContainers } from './container.validation.js';
import {
  validateAffinity,
  validateTolerations,
  validateTopologySpread,
} from './scheduling.validation.js';
import { validatePodSecurityContext } from './security.validation.js';
import { validateReferenceName, validateVolumes } from './volume.validation.js';

const MAX_INT32 = 2 ** 31 - 1;
const MAX_NAMESERVERS = 3;

function validateDns(spec: PodSpec, path: FieldPath): FieldError[] {
  const policies = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];
  const servers = list(spec.dnsConfig?.nameservers);
  const at = path.child('dnsConfig');
  return [
    ...oneOf(spec.dnsPolicy, policies, path.child('dnsPolicy')),
    ...(spec.dnsPolicy === 'None' && !spec.dnsConfig
      ? [required(at, 'must provide `dnsConfig` when `dnsPolicy` is None')]
      : []),
    ...(spec.dnsPolicy === 'None' && spec.dnsConfig && servers.length === 0
      ? [
          required(
            at.child('nameservers'),
            'must provide at least one DNS nameserver when `dnsPolicy` is None',
          ),
        ]
      : []),
    ...(servers.length > MAX_NAMESERVERS
      ? [
          invalid(
            at.child('nameservers'),
            servers,
            `must not have more than ${MAX_NAMESERVERS} nameservers`,
          ),
        ]
      : []),
    ...servers.flatMap((server, i) => validateIp(server, at.child('nameservers').index(i))),
  ];
}

function validateTimes(spec: PodSpec, path: FieldPath): FieldError[] {
  const deadline = spec.activeDeadlineSeconds;
  return [
    ...(spec.terminationGracePeriodSeconds === undefined ||
    spec.terminationGracePeriodSeconds === null
      ? [required(path.child('terminationGracePeriodSeconds'))]
      : nonNegative(
          spec.terminationGracePeriodSeconds,
          path.child('terminationGracePeriodSeconds'),
        )),
    ...(typeof deadline === 'number' && (deadline < 1 || deadline > MAX_INT32)
      ? [
          invalid(
            path.child('activeDeadlineSeconds'),
            deadline,
            `must be between 1 and ${MAX_INT32}, inclusive`,
          ),
        ]
      : []),
  ];
}

function validateReferences(spec: PodSpec, path: FieldPath): FieldError[] {
  return [
    ...validateReferenceName(spec.serviceAccountName, path.child('serviceAccountName')),
    ...validateReferenceName(spec.nodeName, path.child('nodeName')),
    ...validateReferenceName(spec.priorityClassName, path.child('priorityClassName')),
    ...validateReferenceName(spec.runtimeClassName, path.child('runtimeClassName')),
    ...eachOf(spec.imagePullSecrets, (ref, i) =>
      ref.name ? [] : [required(path.child('imagePullSecrets').index(i).child('name'))],
    ),
    ...(spec.hostname ? check(dnsLabel, spec.hostname, path.child('hostname')) : []),
    ...(spec.subdomain ? check(dnsLabel, spec.subdomain, path.child('subdomain')) : []),
  ];
}

function validateHostAliases(spec: PodSpec, path: FieldPath): FieldError[] {
  return eachOf(spec.hostAliases, (alias, i) => {
    const at = path.child('hostAliases').index(i);
    return [
      ...validateIp(alias.ip, at.child('ip')),
      ...eachOf(alias.hostnames, (name, n) =>
        check(dnsSubdomain, name, at.child('hostnames').index(n)),
      ),
    ];
  });
}

function validateGates(spec: PodSpec, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return [
    ...eachOf(spec.readinessGates, (gate, i) =>
      check(
        qualifiedName,
        gate.conditionType,
        path.child('readinessGates').index(i).child('conditionType'),
      ),
    ),
    ...eachOf(spec.schedulingGates, (gate, i) => {
      const at = path.child('schedulingGates').index(i);
      const repeated = seen.has(gate.name);
      seen.add(gate.name);
      return repeated ? [duplicate(at, gate.name)] : check(qualifiedName, gate.name, at);
    }),
    ...(list(spec.schedulingGates).length > 0 && spec.nodeName
      ? [
          forbidden(
            path.child('nodeName'),
            'cannot be set until all schedulingGates have been cleared',
          ),
        ]
      : []),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidatePodSpec. */
export function validatePodSpec(spec: PodSpec | undefined, path: FieldPath): FieldError[] {
  if (!spec) return [required(path.child('containers'))];
  const volumes = new Set(list(spec.volumes).map((volume) => volume.name));
  const scope = { volumes, hostNetwork: spec.hostNetwork === true };
  return [
    ...validateVolumes(spec.volumes, path.child('volumes')),
    ...validateContainers(spec, scope, path),
    ...oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], path.child('restartPolicy')),
    ...validateDns(spec, path),
    ...validateLabels(spec.nodeSelector, path.child('nodeSelector')),
    ...validatePodSecurityContext(spec.securityContext, path.child('securityContext')),
    ...validateReferences(spec, path),
    ...validateAffinity(spec.affinity, path.child('affinity')),
    ...validateTolerations(spec.tolerations, path.child('tolerations')),
    ...validateTopologySpread(
      spec.topologySpreadConstraints,
      path.child('topologySpreadConstraints'),
    ),
    ...validateHostAliases(spec, path),
    ...validateGates(spec, path),
    ...validateTimes(spec, path),
  ];
}
