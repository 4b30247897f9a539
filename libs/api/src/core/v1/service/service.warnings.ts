import { cidrWarning, ipWarning } from '@orrery/apimachinery';
import type { Service, ServiceSpec } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { deprecatedHints } from './service.validation.js';

function headlessWarnings(spec: ServiceSpec): string[] {
  const ignored = [
    ...(spec.loadBalancerIP ? ['loadBalancerIP'] : []),
    ...(list(spec.externalIPs).length > 0 ? ['externalIPs'] : []),
    ...(spec.sessionAffinity === 'None' ? [] : ['SessionAffinity']),
  ];
  return ignored.map((field) => `spec.${field} is ignored for headless services`);
}

function addressWarnings(spec: ServiceSpec, isHeadless: boolean): (string | undefined)[] {
  const isFixed = isHeadless || spec.type === 'ExternalName';
  return [
    ...(isFixed ? [] : list(spec.clusterIPs)).map((ip, i) =>
      ipWarning(`spec.clusterIPs[${i}]`, ip),
    ),
    ...(isHeadless ? headlessWarnings(spec) : []),
    ...list(spec.externalIPs).map((ip, i) => ipWarning(`spec.externalIPs[${i}]`, ip)),
    spec.loadBalancerIP ? ipWarning('spec.loadBalancerIP', spec.loadBalancerIP) : undefined,
    ...list(spec.loadBalancerSourceRanges).map((cidr, i) =>
      cidrWarning(`spec.loadBalancerSourceRanges[${i}]`, cidr),
    ),
  ];
}

/** k8s pkg/api/service/warnings.go:GetWarningsForService. */
export function serviceWarnings(service: Service): string[] {
  const spec = service.spec ?? {};
  const isHeadless = spec.type === 'ClusterIP' && spec.clusterIP === 'None';
  const isName = spec.type === 'ExternalName';
  const hasIps = list(spec.externalIPs).length > 0;
  return [
    ...deprecatedHints(service),
    ...addressWarnings(spec, isHeadless),
    hasIps ? 'spec.externalIPs is deprecated' : undefined,
    isName && hasIps ? 'spec.externalIPs is ignored when spec.type is "ExternalName"' : undefined,
    !isName && spec.externalName
      ? 'spec.externalName is ignored when spec.type is not "ExternalName"'
      : undefined,
    spec.trafficDistribution === 'PreferClose'
      ? 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'
      : undefined,
  ].filter((warning) => warning !== undefined);
}
