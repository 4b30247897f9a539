import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, duplicate, forbidden, invalid, required } from '@orrery/apimachinery';
import type { Service, ServicePort, ServiceSpec } from '../../../types.js';
import { oneOf, validateCidr, validateIp } from '../../../meta/fields.js';
import { validateLabels } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain, portNumber } from '../../../meta/names.js';
import { validatePortNumberOrName } from '../pod-spec/probe.validation.js';
import { isExternallyAccessible, isHeadless } from './service.defaults.js';

const SPEC = FieldPath.of('spec');
const MAX_AFFINITY_SECONDS = 86_400;

function validatePort(port: ServicePort, spec: ServiceSpec, at: Path): FieldError[] {
  const needsName = list(spec.ports).length > 1;
  return [
    ...(port.name
      ? check(dnsLabel, port.name, at.child('name'))
      : needsName
        ? [required(at.child('name'))]
        : []),
    ...portNumber(port.port).map((m) => invalid(at.child('port'), port.port ?? 0, m)),
    ...oneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], at.child('protocol')),
    ...(port.targetPort === undefined
      ? []
      : validatePortNumberOrName(port.targetPort, at.child('targetPort'))),
    ...(port.nodePort && spec.type !== 'NodePort' && spec.type !== 'LoadBalancer'
      ? [forbidden(at.child('nodePort'), `may not be used when \`type\` is '${spec.type}'`)]
      : []),
  ];
}

/** Names, port numbers and node ports may each stand for one port only. */
function validateUniquePorts(spec: ServiceSpec): FieldError[] {
  const seen = new Set<string>();
  const repeated = (key: string): boolean => {
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  };
  return eachOf(spec.ports, ({ name, port, protocol, nodePort }, i) => {
    const at = SPEC.child('ports').index(i);
    return [
      ...(name && repeated(`name ${name}`) ? [duplicate(at.child('name'), name)] : []),
      ...(nodePort && repeated(`nodePort ${protocol} ${nodePort}`)
        ? [duplicate(at.child('nodePort'), nodePort)]
        : []),
      ...(repeated(`port ${protocol} ${port}`) ? [duplicate(at, { protocol, port })] : []),
    ];
  });
}

function validateExternalName(spec: ServiceSpec): FieldError[] {
  const path = SPEC.child('externalName');
  const name = String(spec.externalName ?? '').replace(/\.$/, '');
  return [
    ...(spec.clusterIP
      ? [forbidden(SPEC.child('clusterIPs'), 'may not be set for ExternalName services')]
      : []),
    ...(name ? check(dnsSubdomain, name, path) : [required(path)]),
  ];
}

function validateAddresses(spec: ServiceSpec): FieldError[] {
  const { clusterIP, clusterIPs, type } = spec;
  const path = SPEC.child('clusterIPs');
  const first = list(clusterIPs)[0] ?? clusterIP;
  if (first === 'None') {
    return type === 'ClusterIP'
      ? []
      : [invalid(path.index(0), first, `may not be set to 'None' for ${type} services`)];
  }
  return [
    ...list(clusterIPs).flatMap((address, i) =>
      address ? validateIp(address, path.index(i)) : [],
    ),
    ...(clusterIP && list(clusterIPs).length === 0
      ? validateIp(clusterIP, SPEC.child('clusterIP'))
      : []),
    ...(clusterIP && list(clusterIPs).length > 0 && list(clusterIPs)[0] !== clusterIP
      ? [invalid(path, list(clusterIPs), 'first value must match `clusterIP`')]
      : []),
  ];
}

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const { type, externalTrafficPolicy, internalTrafficPolicy, loadBalancerSourceRanges } = spec;
  const external = SPEC.child('externalTrafficPolicy');
  const ranges = SPEC.child('loadBalancerSourceRanges');
  return [
    ...(externalTrafficPolicy && !isExternallyAccessible(spec)
      ? [
          invalid(
            external,
            externalTrafficPolicy,
            'may only be set for externally-accessible services',
          ),
        ]
      : []),
    ...oneOf(externalTrafficPolicy, ['Cluster', 'Local'], external, false),
    ...oneOf(
      internalTrafficPolicy,
      ['Cluster', 'Local'],
      SPEC.child('internalTrafficPolicy'),
      false,
    ),
    ...(list(loadBalancerSourceRanges).length > 0 && type !== 'LoadBalancer'
      ? [forbidden(ranges, "may only be used when `type` is 'LoadBalancer'")]
      : list(loadBalancerSourceRanges).flatMap((range, i) => validateCidr(range, ranges.index(i)))),
    ...list(spec.externalIPs).flatMap((ip, i) =>
      validateIp(ip, SPEC.child('externalIPs').index(i)),
    ),
  ];
}

function validateAffinity(spec: ServiceSpec): FieldError[] {
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 1;
  return [
    ...oneOf(spec.sessionAffinity, ['ClientIP', 'None'], SPEC.child('sessionAffinity')),
    ...(seconds <= 0 || seconds > MAX_AFFINITY_SECONDS
      ? [
          invalid(
            SPEC.child('sessionAffinityConfig', 'clientIP', 'timeoutSeconds'),
            seconds,
            `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`,
          ),
        ]
      : []),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidateService. */
export function validateService({ spec }: Service): FieldError[] {
  if (!spec) return [required(SPEC.child('ports'))];
  const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
  const needsPorts = spec.type !== 'ExternalName' && !isHeadless(spec);
  return [
    ...(needsPorts && list(spec.ports).length === 0 ? [required(SPEC.child('ports'))] : []),
    ...(spec.type === 'ExternalName' ? validateExternalName(spec) : validateAddresses(spec)),
    ...eachOf(spec.ports, (port, i) => validatePort(port, spec, SPEC.child('ports').index(i))),
    ...validateLabels(spec.selector, SPEC.child('selector')),
    ...validateAffinity(spec),
    ...oneOf(spec.type, types, SPEC.child('type')),
    ...validateUniquePorts(spec),
    ...validateTraffic(spec),
  ];
}

/** A cluster IP stays unless the service becomes, or was, an ExternalName. */
export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const before = old.spec?.clusterIP;
  const isFixed =
    before && old.spec?.type !== 'ExternalName' && service.spec?.type !== 'ExternalName';
  return isFixed && service.spec?.clusterIP !== before
    ? [
        invalid(
          SPEC.child('clusterIPs').index(0),
          [service.spec?.clusterIP ?? ''],
          'may not change once set',
        ),
      ]
    : [];
}
