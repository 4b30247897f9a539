import type { Service, ServiceSpec } from '../../../types.js';
import { list } from '../../../meta/list.js';

const CLIENT_IP_SECONDS = 10_800;

/** Reachable from outside the cluster: node ports, load balancers and external addresses. */
export const isExternallyAccessible = ({ type, externalIPs }: ServiceSpec): boolean =>
  type === 'LoadBalancer' ||
  type === 'NodePort' ||
  (type === 'ClusterIP' && list(externalIPs).length > 0);

/** `None` asks for no cluster IP. */
export const isHeadless = ({ clusterIP, clusterIPs }: ServiceSpec): boolean =>
  (list(clusterIPs)[0] ?? clusterIP) === 'None';

function setAffinityDefaults(spec: ServiceSpec): void {
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') {
    delete spec.sessionAffinityConfig;
    return;
  }
  spec.sessionAffinityConfig ??= {};
  spec.sessionAffinityConfig.clientIP ??= {};
  spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= CLIENT_IP_SECONDS;
}

function setPortDefaults(spec: ServiceSpec): void {
  for (const port of list(spec.ports)) {
    port.protocol ||= 'TCP';
    if (port.targetPort === undefined || port.targetPort === '' || port.targetPort === 0) {
      port.targetPort = port.port;
    }
  }
}

/** k8s pkg/apis/core/v1/defaults.go:SetDefaults_Service; families and their policy follow from the cluster's ranges. */
export function setServiceDefaults(service: Service): void {
  service.status ??= {};
  service.status.loadBalancer ??= {};
  const { spec } = service;
  if (!spec) return;
  setAffinityDefaults(spec);
  spec.type ||= 'ClusterIP';
  setPortDefaults(spec);
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of list(service.status.loadBalancer.ingress)) {
      if (ingress.ip) ingress.ipMode ??= 'VIP';
    }
  }
}
