import type { Service, ServiceSpec } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { isExternallyAccessible } from './service.defaults.js';

const hasNodePorts = ({ type }: ServiceSpec): boolean =>
  type === 'NodePort' || type === 'LoadBalancer';

const hasHealthPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

const isInternal = ({ type }: ServiceSpec): boolean => type === 'ExternalName';

const sameList = (now: readonly string[] | undefined, before: readonly string[] | undefined) =>
  list(now).join() === list(before).join();

const nodePortsOf = ({ ports }: ServiceSpec): number[] =>
  list(ports).flatMap(({ nodePort }) => (nodePort ? [nodePort] : []));

function keepAddresses(spec: ServiceSpec, old: ServiceSpec): void {
  if (isInternal(spec) || isInternal(old)) return;
  if (!spec.clusterIP && old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
  if (list(spec.clusterIPs).length === 0 && old.clusterIPs) spec.clusterIPs = [...old.clusterIPs];
}

/** By the ports' names, so that their numbers may change; not those that another port has taken over. */
function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  if (!hasNodePorts(spec) || !hasNodePorts(old)) return;
  const now = new Set(nodePortsOf(spec));
  const taken = new Set(nodePortsOf(old).filter((port) => now.has(port)));
  const named = new Map(list(old.ports).map(({ name, nodePort }) => [name ?? '', nodePort]));
  for (const port of list(spec.ports)) {
    const before = named.get(port.name ?? '');
    if (!port.nodePort && before && !taken.has(before)) port.nodePort = before;
  }
}

/** What a client left out of an update keeps the value the cluster allocated (k8s pkg/registry/core/service/storage/storage.go:patchAllocatedValues). */
export function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  keepAddresses(spec, old);
  keepNodePorts(spec, old);
  if (hasHealthPort(spec) && hasHealthPort(old) && old.healthCheckNodePort)
    spec.healthCheckNodePort ||= old.healthCheckNodePort;
}

/** Of a new service the first address may be given alone (normalizeClusterIPs there). */
export function syncNewAddresses(spec: ServiceSpec): void {
  if (spec.clusterIP && list(spec.clusterIPs).length === 0) spec.clusterIPs = [spec.clusterIP];
}

/** A client that knows only clusterIP may change or clear it alone (normalizeClusterIPs there). */
export function syncAddresses(spec: ServiceSpec, old: ServiceSpec): void {
  const isSame = (spec.clusterIP ?? '') === (old.clusterIP ?? '');
  if (isSame && list(spec.clusterIPs).length === 0 && list(old.clusterIPs).length > 0)
    spec.clusterIPs = [...list(old.clusterIPs)];
  if (isSame || !sameList(spec.clusterIPs, old.clusterIPs)) return;
  if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
  else delete spec.clusterIPs;
}

function dropAddresses(spec: ServiceSpec, old: ServiceSpec): void {
  if (!isInternal(spec) || isInternal(old)) return;
  if (spec.clusterIP === old.clusterIP && sameList(spec.clusterIPs, old.clusterIPs)) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  if (sameList(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies;
  if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  delete spec.internalTrafficPolicy;
}

function dropPorts(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    const known = new Set(nodePortsOf(old));
    if (nodePortsOf(spec).every((port) => known.has(port)))
      for (const port of list(spec.ports)) delete port.nodePort;
  }
  const isSame = (spec.healthCheckNodePort ?? 0) === (old.healthCheckNodePort ?? 0);
  if (hasHealthPort(old) && !hasHealthPort(spec) && isSame) delete spec.healthCheckNodePort;
}

function dropBalancer(spec: ServiceSpec, old: ServiceSpec): void {
  if (old.type !== 'LoadBalancer' || spec.type === 'LoadBalancer') return;
  for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const)
    if (spec[field] === old[field]) delete spec[field];
}

/**
 * Fields of the old type that the new type cannot have go, where the client left them as they were
 * (k8s pkg/registry/core/service/strategy.go:dropTypeDependentFields).
 */
export function dropTypeDependentFields(service: Service, { spec: old }: Service): void {
  const { spec } = service;
  if (!spec || !old) return;
  dropAddresses(spec, old);
  dropPorts(spec, old);
  dropBalancer(spec, old);
  const isSamePolicy = spec.externalTrafficPolicy === old.externalTrafficPolicy;
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec) && isSamePolicy)
    delete spec.externalTrafficPolicy;
  if (spec.type !== 'LoadBalancer') service.status = { ...service.status, loadBalancer: {} };
}
