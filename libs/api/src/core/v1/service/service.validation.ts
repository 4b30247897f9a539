import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import {
  FieldPath,
  cidrFaults,
  duplicate,
  forbidden,
  invalid,
  ipFaults,
  notSupported,
  required,
} from '@orrery/apimachinery';
import type { KindContext } from '../../../kind.js';
import type { Service, ServicePort, ServiceSpec } from '../../../types.js';
import { oneOf, requiredOf, supported } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { validateLabels } from '../../../meta/label-selector.js';
import { eachOf, entries, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain, portNumber, qualifiedName } from '../../../meta/names.js';
import { validateSpecialIp } from '../endpoints/endpoint-address.js';
import { validatePortNumberOrName } from '../pod-spec/probe.validation.js';
import {
  validateAddressUpdate,
  validateClusterIps,
  validateNewIp,
} from './service-addresses.validation.js';
import { isExternallyAccessible, isHeadless } from './service.defaults.js';

const SPEC = FieldPath.of('spec');
const PORTS = SPEC.child('ports');
const MAX_AFFINITY_SECONDS = 86_400;
const HINTS = 'service.kubernetes.io/topology-aware-hints';
const MODE = 'service.kubernetes.io/topology-mode';
const RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'";

const needsHealthCheck = (spec: ServiceSpec | undefined): boolean =>
  spec?.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';

function validateHints({ metadata }: Service): FieldError[] {
  const mode = metadata.annotations?.[MODE];
  const hints = metadata.annotations?.[HINTS];
  const text = `must match annotations[${HINTS}] when both are specified`;
  return when(
    mode !== undefined && hints !== undefined && mode !== hints,
    invalid(FieldPath.of('metadata', 'annotations').key(MODE), mode, text),
  );
}

function validateExternalName(spec: ServiceSpec): FieldError[] {
  const text = 'may not be set for ExternalName services';
  const path = SPEC.child('externalName');
  const name = String(spec.externalName ?? '').replace(/\.$/, '');
  return [
    ...when(list(spec.clusterIPs).length > 0, forbidden(SPEC.child('clusterIPs'), text)),
    ...when(list(spec.ipFamilies).length > 0, forbidden(SPEC.child('ipFamilies'), text)),
    ...when(Boolean(spec.ipFamilyPolicy), forbidden(SPEC.child('ipFamilyPolicy'), text)),
    ...(name ? check(dnsSubdomain, name, path) : [required(path)]),
  ];
}

function validateType(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return validateExternalName(spec);
  const isReachable = spec.type === 'LoadBalancer' || spec.type === 'NodePort';
  return when(
    isReachable && isHeadless(spec),
    invalid(
      SPEC.child('clusterIPs').index(0),
      'None',
      `may not be set to 'None' for ${spec.type} services`,
    ),
  );
}

function validatePort(
  port: ServicePort,
  needsName: boolean,
  isRepeated: boolean,
  at: Path,
): FieldError[] {
  return [
    ...(port.name
      ? check(dnsLabel, port.name, at.child('name'))
      : when(needsName, required(at.child('name')))),
    ...when(isRepeated, duplicate(at.child('name'), port.name)),
    ...portNumber(port.port).map((m) => invalid(at.child('port'), port.port ?? 0, m)),
    ...oneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], at.child('protocol')),
    ...validatePortNumberOrName(port.targetPort, at.child('targetPort')),
    ...given(port.appProtocol, (name) => check(qualifiedName, name, at.child('appProtocol'))),
  ];
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const names = new Set<string>();
  const needsName = list(spec.ports).length > 1;
  return eachOf(spec.ports, (port, i) => {
    const isRepeated = Boolean(port.name) && names.has(port.name ?? '');
    if (port.name) names.add(port.name);
    return validatePort(port, needsName, isRepeated, PORTS.index(i));
  });
}

/** Numbers and node ports stand for one port of each protocol. */
function validateUniquePorts(spec: ServiceSpec): FieldError[] {
  const seen = new Set<string>();
  const repeated = (key: string): boolean => {
    const found = seen.has(key);
    seen.add(key);
    return found;
  };
  const isInternal = spec.type === 'ClusterIP';
  return [
    ...eachOf(spec.ports, ({ nodePort }, i) =>
      when(
        isInternal && Boolean(nodePort),
        forbidden(PORTS.index(i).child('nodePort'), "may not be used when `type` is 'ClusterIP'"),
      ),
    ),
    ...eachOf(spec.ports, ({ nodePort, protocol }, i) =>
      nodePort && repeated(`node ${protocol} ${nodePort}`)
        ? [duplicate(PORTS.index(i).child('nodePort'), nodePort)]
        : [],
    ),
    ...eachOf(spec.ports, ({ port, protocol }, i) => {
      // What upstream's internal type prints.
      const shown = {
        Name: '',
        Protocol: protocol,
        AppProtocol: null,
        Port: port,
        TargetPort: 0,
        NodePort: 0,
      };
      return when(repeated(`port ${protocol} ${port}`), duplicate(PORTS.index(i), shown));
    }),
  ];
}

function validateAffinity(spec: ServiceSpec): FieldError[] {
  const path = SPEC.child('sessionAffinityConfig');
  const config = spec.sessionAffinityConfig;
  const findings = oneOf(spec.sessionAffinity, ['ClientIP', 'None'], SPEC.child('sessionAffinity'));
  if (spec.sessionAffinity === 'None') {
    const text = 'must not be set when session affinity is None';
    return [...findings, ...when(Boolean(config), forbidden(path, text))];
  }
  if (spec.sessionAffinity !== 'ClientIP') return findings;
  const why = 'when session affinity type is ClientIP';
  const seconds = config?.clientIP?.timeoutSeconds;
  if (!config) return [...findings, required(path, why)];
  if (!config.clientIP) return [...findings, required(path.child('clientIP'), why)];
  const at = path.child('clientIP', 'timeoutSeconds');
  if (seconds === undefined || seconds === null) return [...findings, required(at, why)];
  const text = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`;
  return [
    ...findings,
    ...when(seconds <= 0 || seconds > MAX_AFFINITY_SECONDS, invalid(at, seconds, text)),
  ];
}

function validateRanges({ spec, metadata }: Service, old: Service | undefined): FieldError[] {
  const isBalanced = spec?.type === 'LoadBalancer';
  const cidrs = (values: readonly string[], at: (i: number) => Path): FieldError[] =>
    values.flatMap((value, i) => cidrFaults(value).map((fault) => invalid(at(i), value, fault)));
  const ranges = list(spec?.loadBalancerSourceRanges).map((range) => String(range).trim());
  if (ranges.length > 0) {
    const path = SPEC.child('LoadBalancerSourceRanges');
    const known = list(old?.spec?.loadBalancerSourceRanges).map((range) => range.trim());
    return [
      ...when(!isBalanced, forbidden(path, ONLY_BALANCED)),
      ...ranges.flatMap((range, i) =>
        known.includes(range) ? [] : cidrs([range], () => path.index(i)),
      ),
    ];
  }
  const text = metadata.annotations?.[RANGES];
  if (text === undefined) return [];
  const path = FieldPath.of('metadata', 'annotations').key(RANGES);
  const isNew = old?.metadata.annotations?.[RANGES] !== text;
  const values = String(text).trim() === '' ? [] : String(text).trim().split(',');
  return [
    ...when(!isBalanced, forbidden(path, ONLY_BALANCED)),
    ...(isNew
      ? cidrs(
          values.map((value) => value.trim()),
          () => path,
        )
      : []),
  ];
}

const BALANCER_CLASS = SPEC.child('loadBalancerClass');

function validateKeptClass(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const isChanged =
    spec.type === 'LoadBalancer' &&
    old.type === 'LoadBalancer' &&
    (spec.loadBalancerClass ?? null) !== (old.loadBalancerClass ?? null);
  return when(
    isChanged,
    invalid(BALANCER_CLASS, spec.loadBalancerClass ?? null, 'may not change once set'),
  );
}

function validateBalancer(spec: ServiceSpec): FieldError[] {
  const isBalanced = spec.type === 'LoadBalancer';
  const path = BALANCER_CLASS;
  return [
    ...when(
      !isBalanced && (spec.allocateLoadBalancerNodePorts ?? null) !== null,
      forbidden(SPEC.child('allocateLoadBalancerNodePorts'), ONLY_BALANCED),
    ),
    ...given(spec.loadBalancerClass, (name) =>
      isBalanced ? check(qualifiedName, name, path) : [forbidden(path, ONLY_BALANCED)],
    ),
  ];
}

function validateExternalTraffic(spec: ServiceSpec): FieldError[] {
  const policy = SPEC.child('externalTrafficPolicy');
  const port = SPEC.child('healthCheckNodePort');
  const policyGiven = spec.externalTrafficPolicy;
  const healthPort = spec.healthCheckNodePort ?? 0;
  const text =
    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  return [
    ...(isExternallyAccessible(spec)
      ? oneOf(policyGiven, ['Cluster', 'Local'], policy)
      : when(
          Boolean(policyGiven),
          invalid(policy, policyGiven, 'may only be set for externally-accessible services'),
        )),
    ...when(!needsHealthCheck(spec) && healthPort !== 0, invalid(port, healthPort, text)),
    ...(needsHealthCheck(spec) && healthPort !== 0
      ? portNumber(healthPort).map((message) => invalid(port, healthPort, message))
      : []),
  ];
}

const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const isServed = ['ClusterIP', 'LoadBalancer', 'NodePort'].includes(String(spec.type));
  return [
    ...validateExternalTraffic(spec),
    ...(isServed ? requiredOf : supported)(
      spec.internalTrafficPolicy,
      ['Cluster', 'Local'],
      SPEC.child('internalTrafficPolicy'),
    ),
    ...given(spec.trafficDistribution, (value) =>
      when(
        !DISTRIBUTIONS.includes(value),
        notSupported(SPEC.child('trafficDistribution'), value, DISTRIBUTIONS, 'as given'),
      ),
    ),
  ];
}

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

function validate(service: Service, old: Service | undefined, context: KindContext): FieldError[] {
  const spec = service.spec ?? {};
  const needsPorts = spec.type !== 'ExternalName' && !isHeadless(spec);
  return [
    ...validateHints(service),
    ...when(needsPorts && list(spec.ports).length === 0, required(PORTS)),
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, SPEC.child('selector')),
    ...validateAffinity(spec),
    ...eachOf(spec.externalIPs, (ip, i) => {
      const at = SPEC.child('externalIPs').index(i);
      const findings = validateNewIp(ip, old?.spec?.externalIPs, at);
      return findings.length > 0 ? findings : validateSpecialIp(ip, at, context);
    }),
    ...oneOf(spec.type, TYPES, SPEC.child('type')),
    ...validateUniquePorts(spec),
    ...validateRanges(service, old),
    ...validateBalancer(spec),
    ...validateTraffic(spec),
  ];
}

/** What upstream finds before it allocates addresses, and tells alone (k8s pkg/registry/core/service/storage/alloc.go:initIPFamilyFields). */
const early = ({ spec }: Service, old?: Service): FieldError[] =>
  validateClusterIps(spec ?? {}, old?.spec);

/** k8s pkg/apis/core/validation/validation.go:ValidateServiceCreate. */
export function validateService(service: Service, context: KindContext): FieldError[] {
  const found = early(service);
  return found.length > 0 ? found : validate(service, undefined, context);
}

/** k8s pkg/apis/core/validation/validation.go:ValidateServiceUpdate. */
export function validateServiceUpdate(
  service: Service,
  old: Service,
  context: KindContext,
): FieldError[] {
  const found = early(service, old);
  if (found.length > 0) return found;
  const isKept = needsHealthCheck(service.spec) && needsHealthCheck(old.spec);
  const [now, before] = [service.spec?.healthCheckNodePort, old.spec?.healthCheckNodePort];
  return [
    ...validateAddressUpdate(service, old),
    ...validateKeptClass(service.spec ?? {}, old.spec ?? {}),
    ...when(
      isKept && now !== before,
      forbidden(SPEC.child('healthCheckNodePort'), 'field is immutable'),
    ),
    ...validate(service, old, context),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidateLoadBalancerStatus. */
export function validateServiceStatus(service: Service, old: Service): FieldError[] {
  const path = FieldPath.of('status', 'loadBalancer', 'ingress');
  const ingress = service.status?.loadBalancer?.ingress;
  const known = list(old.status?.loadBalancer?.ingress).map(({ ip }) => ip ?? '');
  if (service.spec?.type !== 'LoadBalancer' && list(ingress).length > 0) {
    return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return eachOf(ingress, ({ ip, ipMode, hostname }, i) => {
    const at = path.index(i);
    const mode = at.child('ipMode');
    return [
      ...(ip ? validateNewIp(ip, known, at.child('ip')) : []),
      ...when(
        Boolean(ip) && (ipMode ?? null) === null,
        required(mode, 'must be specified when `ip` is set'),
      ),
      ...when(!ip && Boolean(ipMode), forbidden(mode, 'may not be specified when `ip` is not set')),
      ...(ip ? supported(ipMode, ['Proxy', 'VIP'], mode) : []),
      ...(hostname ? check(dnsSubdomain, hostname, at.child('hostname')) : []),
      ...when(
        Boolean(hostname) && ipFaults(String(hostname), true).length === 0,
        invalid(at.child('hostname'), hostname, 'must be a DNS name, not an IP address'),
      ),
    ];
  });
}

/** Annotations that the strategy warns of are read here too, so that the names stand in one place. */
export const deprecatedHints = ({ metadata }: Service): string[] =>
  entries(metadata.annotations)
    .filter(([key]) => key === HINTS)
    .map(() => `annotation ${HINTS} is deprecated, please use ${MODE} instead`);
