import type { Service, ServicePort, ServiceSpec } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { dnsLabel } from '../../../meta/names.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { isExternallyAccessible, isHeadless } from './service.defaults.js';
import {
  validateService,
  validateServiceStatus,
  validateServiceUpdate,
} from './service.validation.js';
import { serviceWarnings } from './service.warnings.js';

const hasNodePorts = ({ type }: ServiceSpec): boolean =>
  type === 'NodePort' || type === 'LoadBalancer';

const samePort = (a: ServicePort, b: ServicePort): boolean =>
  a.port === b.port && a.protocol === b.protocol;

function keepAddresses(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return;
  if (spec.clusterIP || list(spec.clusterIPs).length > 0) return;
  if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
  if (old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
}

/** Families of an update that says nothing of them; the policy alone may give the second up. */
function keepFamilies(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return;
  if (old.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
  const isSingle = spec.ipFamilyPolicy === 'SingleStack';
  const isSame = (now: readonly string[], before: readonly string[]): boolean =>
    now.length === before.length && now.every((value, i) => value === before[i]);
  if (isSingle && isSame(list(spec.clusterIPs), list(old.clusterIPs)))
    spec.clusterIPs = spec.clusterIPs?.slice(0, 1);
  if (list(spec.ipFamilies).length === 0 && old.ipFamilies !== undefined)
    spec.ipFamilies = isHeadless(spec)
      ? [...old.ipFamilies]
      : old.ipFamilies.slice(0, list(spec.clusterIPs).length || old.ipFamilies.length);
  if (isSingle && isSame(list(spec.ipFamilies), list(old.ipFamilies)))
    spec.ipFamilies = spec.ipFamilies?.slice(0, 1);
}

/** What a client left out of an update keeps the value the cluster allocated (patchAllocatedValues). */
function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  keepAddresses(spec, old);
  if (hasNodePorts(spec) && hasNodePorts(old)) {
    for (const port of list(spec.ports)) {
      const before = list(old.ports).find((each) => samePort(each, port));
      if (!port.nodePort && before?.nodePort) port.nodePort = before.nodePort;
    }
  }
  const needsHealthPort = (s: ServiceSpec): boolean =>
    s.type === 'LoadBalancer' && s.externalTrafficPolicy === 'Local';
  if (needsHealthPort(spec) && needsHealthPort(old) && !spec.healthCheckNodePort) {
    if (old.healthCheckNodePort) spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

/** clusterIP and clusterIPs[0] are one value; a client that knows only the first may change it alone. */
function syncClusterIps(spec: ServiceSpec, old?: ServiceSpec): void {
  if (spec.clusterIP && list(spec.clusterIPs).length === 0) spec.clusterIPs = [spec.clusterIP];
  else if (old && spec.clusterIP !== old.clusterIP && list(spec.clusterIPs)[0] === old.clusterIP) {
    if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
    else delete spec.clusterIPs;
  } else if (!spec.clusterIP && list(spec.clusterIPs).length > 0) {
    spec.clusterIP = list(spec.clusterIPs)[0] ?? '';
  }
}

/** Fields of the old type that the new type cannot have, when the client left them as they were (dropTypeDependentFields). */
function dropStale(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.type === 'ExternalName' && old.type !== 'ExternalName') {
    if (spec.clusterIP === old.clusterIP) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
    delete spec.internalTrafficPolicy;
  }
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    for (const port of list(spec.ports)) {
      if (list(old.ports).some((each) => each.nodePort === port.nodePort)) delete port.nodePort;
    }
  }
  if (!isExternallyAccessible(spec)) delete spec.externalTrafficPolicy;
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    delete spec.allocateLoadBalancerNodePorts;
    delete spec.healthCheckNodePort;
    delete spec.loadBalancerClass;
  }
}

/** k8s pkg/registry/core/service/strategy.go; addresses and node ports are allocated by the API server. */
export const serviceStrategy = strategyOf<Service>({
  namespaced: true,
  allowCreateOnUpdate: true,
  // Names may begin with a digit (RelaxedServiceNameValidation).
  name: dnsLabel,
  ownsStatus: true,
  initialStatus: () => ({ loadBalancer: {} }),
  prepareForCreate({ spec }) {
    if (spec) syncClusterIps(spec);
  },
  prepareForUpdate({ spec }, old) {
    if (!spec || !old.spec) return;
    dropStale(spec, old.spec);
    keepAllocated(spec, old.spec);
    syncClusterIps(spec, old.spec);
    keepFamilies(spec, old.spec);
  },
  checkCreate: validateService,
  checkUpdate: validateServiceUpdate,
  warnings: serviceWarnings,
});

export const serviceStatusStrategy = statusStrategyOf<Service>(validateServiceStatus);
