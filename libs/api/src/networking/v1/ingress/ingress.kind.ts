import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import { isIP } from 'node:net';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
} from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsSubdomain, portName, portNumber } from '../../../meta/names.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');
const SHOWN_HOSTS = 3;

function validateHost(host: string, path: Path): FieldError[] {
  if (isIP(host) !== 0) return [invalid(path, host, 'must be a DNS name, not an IP address')];
  return check(dnsSubdomain, host.startsWith('*.') ? host.slice(2) : host, path);
}

function validateBackend(backend: IngressBackend | undefined, path: Path): FieldError[] {
  const { service, resource } = backend ?? {};
  if (service && resource) {
    return [invalid(path, '', 'cannot set both resource and service backends')];
  }
  if (resource) {
    return [
      ...(resource.kind ? [] : [required(path.child('resource', 'kind'))]),
      ...(resource.name ? [] : [required(path.child('resource', 'name'))]),
    ];
  }
  if (!service) {
    return [required(path.child('service', 'name'))];
  }
  return validateService(service, path);
}

function validateService(service: IngressServiceBackend, path: Path): FieldError[] {
  const { name, number } = service.port ?? {};
  const at = path.child('service', 'port');
  return [
    ...(service.name ? [] : [required(path.child('service', 'name'))]),
    ...(name && number ? [invalid(path, '', 'cannot set both port name & port number')] : []),
    ...(!name && !number ? [required(path, 'port name or number is required')] : []),
    ...(name ? check(portName, name, at.child('name')) : []),
    ...(number && !name
      ? portNumber(number).map((m) => invalid(at.child('number'), number, m))
      : []),
  ];
}

function validatePath(item: HTTPIngressPath, at: Path): FieldError[] {
  const { path = '', pathType } = item;
  const isStrict = pathType === 'Exact' || pathType === 'Prefix';
  const forbiddenParts = ['//', '/./', '/../', '%2f', '%2F'].filter((part) => path.includes(part));
  return [
    ...(pathType
      ? oneOf(pathType, ['Exact', 'ImplementationSpecific', 'Prefix'], at.child('pathType'))
      : [required(at.child('pathType'), 'pathType must be specified')]),
    ...(isStrict && !path.startsWith('/')
      ? [invalid(at.child('path'), path, 'must be an absolute path')]
      : []),
    ...(isStrict
      ? forbiddenParts.map((part) => invalid(at.child('path'), path, `must not contain '${part}'`))
      : []),
    ...validateBackend(item.backend, at.child('backend')),
  ];
}

function validateRule(rule: IngressRule, at: Path): FieldError[] {
  const paths = list(rule.http?.paths);
  return [
    ...(rule.host ? validateHost(String(rule.host), at.child('host')) : []),
    ...(rule.http && paths.length === 0 ? [required(at.child('http', 'paths'))] : []),
    ...paths.flatMap((item, i) => validatePath(item, at.child('http', 'paths').index(i))),
  ];
}

/** k8s pkg/apis/networking/validation/validation.go:ValidateIngressSpec. */
function validate({ spec }: Ingress): FieldError[] {
  const isEmpty = list(spec?.rules).length === 0 && !spec?.defaultBackend;
  return [
    ...(isEmpty
      ? [invalid(SPEC, list(spec?.rules), 'either `defaultBackend` or `rules` must be specified')]
      : []),
    ...(spec?.defaultBackend
      ? validateBackend(spec.defaultBackend, SPEC.child('defaultBackend'))
      : []),
    ...eachOf(spec?.rules, (rule, i) => validateRule(rule, SPEC.child('rules').index(i))),
    ...eachOf(spec?.tls, ({ hosts, secretName }, i) => [
      ...eachOf(hosts, (host, h) =>
        validateHost(String(host), SPEC.child('tls').index(i).child('hosts').index(h)),
      ),
      ...(secretName
        ? check(dnsSubdomain, secretName, SPEC.child('tls').index(i).child('secretName'))
        : []),
    ]),
    ...(spec?.ingressClassName === undefined || spec.ingressClassName === null
      ? []
      : check(dnsSubdomain, spec.ingressClassName, SPEC.child('ingressClassName'))),
  ];
}

function hostsText({ spec }: Ingress): string {
  const hosts = list(spec?.rules)
    .map((rule) => rule.host ?? '')
    .filter(Boolean);
  if (hosts.length === 0) return '*';
  const rest = hosts.length - SHOWN_HOSTS;
  const text = hosts.slice(0, SHOWN_HOSTS).join(',');
  return rest > 0 ? `${text} + ${rest} more...` : text;
}

const addressText = ({ status }: Ingress): string =>
  list(status?.loadBalancer?.ingress)
    .map(({ ip, hostname }) => ip || hostname || '')
    .filter(Boolean)
    .join(',');

export const IngressKind = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  scope: 'Namespaced',
  storagePrefix: 'ingress',
  setDefaults(ingress) {
    ingress.status ??= {};
    ingress.status.loadBalancer ??= {};
  },
  strategy: strategyOf<Ingress>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({ loadBalancer: {} }),
    check: validate,
  }),
  status: statusStrategyOf<Ingress>(),
  columns: table<Ingress>([
    nameColumn,
    column('Class', ({ spec }) => spec?.ingressClassName ?? '<none>'),
    column('Hosts', hostsText),
    column('Address', addressText),
    column('Ports', ({ spec }) => (list(spec?.tls).length > 0 ? '80, 443' : '80')),
    ageColumn,
  ]),
  hasGeneration: true,
});
