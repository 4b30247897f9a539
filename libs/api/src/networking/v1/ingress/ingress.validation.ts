import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import {
  FieldPath,
  invalid,
  ipFaults,
  isWildcardDns1123Subdomain,
  parseAddress,
  required,
} from '@orrery/apimachinery';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
} from '../../../types.js';
import { supported } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import {
  check,
  dnsLabel,
  dnsSubdomain,
  pathSegment,
  portName,
  portNumber,
} from '../../../meta/names.js';

const SPEC = FieldPath.of('spec');
const LOAD_BALANCER = FieldPath.of('status', 'loadBalancer');
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const NOT_AN_ADDRESS = 'must be a DNS name, not an IP address';
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_ENDS = ['/..', '/.'];

/** What an update lets pass because it is stored already (k8s pkg/apis/networking/validation IngressValidationOptions). */
interface Leniency {
  readonly secretNames: boolean;
  readonly wildcardRules: boolean;
}

const STRICT: Leniency = { secretNames: false, wildcardRules: false };

const validateHost = (host: string, path: Path): FieldError[] =>
  check(host.includes('*') ? isWildcardDns1123Subdomain : dnsSubdomain, host, path);

/** A reference to an object of the same namespace: `resource` of a backend, `parameters` of a class. */
export function validateLocalReference(
  ref: { readonly apiGroup?: string; readonly kind?: string; readonly name?: string },
  path: Path,
): FieldError[] {
  const named = (field: 'kind' | 'name'): FieldError[] =>
    ref[field] ? check(pathSegment, ref[field], path.child(field)) : [required(path.child(field))];
  return [
    ...given(ref.apiGroup, (group) => check(dnsSubdomain, group, path.child('apiGroup'))),
    ...named('kind'),
    ...named('name'),
  ];
}

/** Services are named by any DNS label (RelaxedServiceNameValidation, on in 1.36). */
function validateService(service: IngressServiceBackend, path: Path): FieldError[] {
  const { name, number } = service.port ?? {};
  const at = path.child('service');
  const named = service.name
    ? check(dnsLabel, service.name, at.child('name'))
    : [required(at.child('name'))];
  if (name && number)
    return [...named, invalid(path, '', 'cannot set both port name & port number')];
  if (name) return [...named, ...check(portName, name, at.child('port', 'name'))];
  if (!number) return [...named, required(path, 'port name or number is required')];
  const port = at.child('port', 'number');
  return [...named, ...portNumber(number).map((text) => invalid(port, number, text))];
}

function validateBackend(backend: IngressBackend | undefined, path: Path): FieldError[] {
  const { service, resource } = backend ?? {};
  if (service && resource)
    return [invalid(path, '', 'cannot set both resource and service backends')];
  if (resource) return validateLocalReference(resource, path.child('resource'));
  return service
    ? validateService(service, path)
    : [invalid(path, '', 'resource or service backend is required')];
}

function validatePath(item: HTTPIngressPath, at: Path): FieldError[] {
  const { path = '', pathType } = item;
  const where = at.child('path');
  if ((pathType ?? null) === null) {
    return [required(at.child('pathType'), 'pathType must be specified')];
  }
  const isStrict = pathType === 'Exact' || pathType === 'Prefix';
  const mustBeAbsolute = isStrict || (pathType === 'ImplementationSpecific' && path !== '');
  const refuse = (parts: readonly string[], text: (part: string) => string): FieldError[] =>
    parts.map((part) => invalid(where, path, text(part)));
  return [
    ...supported(pathType, PATH_TYPES, at.child('pathType')),
    ...when(
      mustBeAbsolute && !path.startsWith('/'),
      invalid(where, path, 'must be an absolute path'),
    ),
    ...refuse(
      BAD_SEQUENCES.filter((part) => isStrict && path.includes(part)),
      (part) => `must not contain '${part}'`,
    ),
    ...refuse(
      BAD_ENDS.filter((part) => isStrict && path.endsWith(part)),
      (part) => `cannot end with '${part}'`,
    ),
    ...validateBackend(item.backend, at.child('backend')),
  ];
}

function validateRuleValue(rule: IngressRule, at: Path): FieldError[] {
  const paths = list(rule.http?.paths);
  const path = at.child('http', 'paths');
  return [
    ...when(Boolean(rule.http) && paths.length === 0, required(path)),
    ...paths.flatMap((item, i) => validatePath(item, path.index(i))),
  ];
}

function validateRule(rule: IngressRule, at: Path, leniency: Leniency): FieldError[] {
  const host = String(rule.host ?? '');
  const isLet = host.includes('*') && leniency.wildcardRules;
  return [
    ...when(parseAddress(host) !== undefined, invalid(at.child('host'), host, NOT_AN_ADDRESS)),
    ...(host === '' ? [] : validateHost(host, at.child('host'))),
    ...(isLet ? [] : validateRuleValue(rule, at)),
  ];
}

function validateSpec({ spec }: Ingress, leniency: Leniency): FieldError[] {
  const isEmpty = list(spec?.rules).length === 0 && !spec?.defaultBackend;
  const tls = SPEC.child('tls');
  return [
    ...when(
      isEmpty,
      invalid(SPEC, spec?.rules ?? null, 'either `defaultBackend` or `rules` must be specified'),
    ),
    ...given(spec?.defaultBackend, (backend) =>
      validateBackend(backend, SPEC.child('defaultBackend')),
    ),
    ...eachOf(spec?.rules, (rule, i) => validateRule(rule, SPEC.child('rules').index(i), leniency)),
    ...eachOf(spec?.tls, ({ hosts, secretName }, i) => [
      ...eachOf(hosts, (host, h) =>
        validateHost(String(host), tls.index(i).child('hosts').index(h)),
      ),
      ...(secretName && !leniency.secretNames
        ? check(dnsSubdomain, secretName, tls.index(i).child('secretName'))
        : []),
    ]),
    ...given(spec?.ingressClassName, (name) =>
      check(dnsSubdomain, name, SPEC.child('ingressClassName')),
    ),
  ];
}

/** What is wrong in the stored object may stay wrong. */
const leniencyOf = (old: Ingress): Leniency => ({
  secretNames: list(old.spec?.tls).some(
    ({ secretName }) => Boolean(secretName) && dnsSubdomain(String(secretName)).length > 0,
  ),
  wildcardRules: list(old.spec?.rules).some(
    (rule) => String(rule.host ?? '').includes('*') && validateRuleValue(rule, SPEC).length > 0,
  ),
});

/** k8s pkg/apis/networking/validation/validation.go:ValidateIngressCreate. */
export function validateIngress(ingress: Ingress): FieldError[] {
  const annotation = ingress.metadata.annotations?.[CLASS_ANNOTATION];
  const className = ingress.spec?.ingressClassName;
  const isTorn = annotation !== undefined && className !== undefined && annotation !== className;
  return [
    ...validateSpec(ingress, STRICT),
    ...when(
      isTorn,
      invalid(
        FieldPath.of('annotations', CLASS_ANNOTATION),
        annotation,
        'must match `ingressClassName` when both are specified',
      ),
    ),
  ];
}

/** k8s pkg/apis/networking/validation/validation.go:ValidateIngressUpdate. */
export const validateIngressUpdate = (ingress: Ingress, old: Ingress): FieldError[] =>
  validateSpec(ingress, leniencyOf(old));

/** k8s pkg/apis/networking/validation/validation.go:ValidateIngressLoadBalancerStatus. */
export function validateIngressStatus({ status }: Ingress, { status: old }: Ingress): FieldError[] {
  const known = list(old?.loadBalancer?.ingress).map(({ ip }) => ip);
  return eachOf(status?.loadBalancer?.ingress, ({ ip, hostname }, i) => {
    const at = LOAD_BALANCER.child('ingress').index(i);
    const isAddress = Boolean(hostname) && parseAddress(String(hostname)) !== undefined;
    return [
      ...(ip && !known.includes(ip)
        ? ipFaults(ip, true).map((text) => invalid(at.child('ip'), ip, text))
        : []),
      ...(hostname ? check(dnsSubdomain, hostname, at.child('hostname')) : []),
      ...when(isAddress, invalid(at.child('hostname'), hostname, NOT_AN_ADDRESS)),
    ];
  });
}

/** What its author is told of an Ingress. */
export const ingressWarnings = ({ metadata, spec }: Ingress, old?: Ingress): string[] => {
  const isNew = metadata.annotations?.[CLASS_ANNOTATION] !== undefined && old === undefined;
  return isNew && (spec?.ingressClassName ?? undefined) === undefined
    ? [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`]
    : [];
};
