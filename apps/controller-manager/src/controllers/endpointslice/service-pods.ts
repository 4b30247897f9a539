import { labelMapMatcher } from '@orrery/apimachinery';
import type { ObjectKey } from '@orrery/apimachinery';
import type { EndpointSlicePort, Pod, Service, ServicePort } from '@orrery/api';
import type { Lister } from '@orrery/informers';
import { isReady, isTerminated } from '../../pods/pod-state.js';

export interface ResolvedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: NonNullable<EndpointSlicePort['protocol']>;
  readonly appProtocol?: string;
}

const HEADLESS = 'service.kubernetes.io/headless';

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === 'None';

/** The labels that a Service hands on to what lists its endpoints. */
export function ownLabels(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...own } = service.metadata.labels ?? {};
  return { ...own, ...(isHeadless(service) ? { [HEADLESS]: '' } : {}) };
}

/** Whether we keep this Service's endpoints: those without a selector, and aliases, are somebody else's. */
export const isManaged = (service: Service): boolean =>
  Object.keys(service.spec?.selector ?? {}).length > 0 && service.spec?.type !== 'ExternalName';

export function podsOf(service: Service, pods: Lister<Pod>): Pod[] {
  const matcher = labelMapMatcher(service.spec?.selector ?? {});
  return pods.list(service.metadata.namespace, (labels) => matcher.matches(labels));
}

/** The Services whose endpoints a pod is, or could be, part of. */
export function servicesOf(pod: Pod, services: Lister<Service>): ObjectKey[] {
  const { namespace = '', labels = {} } = pod.metadata;
  return services
    .list(namespace)
    .filter((s) => isManaged(s) && labelMapMatcher(s.spec?.selector ?? {}).matches(labels))
    .map((service) => ({ namespace, name: service.metadata.name ?? '' }));
}

/** Whether a change of a pod can matter to endpoints. */
export function concernsEndpoints(pod: Pod, old: Pod): boolean {
  return (
    pod.status?.podIP !== old.status?.podIP ||
    pod.spec?.nodeName !== old.spec?.nodeName ||
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    isReady(pod) !== isReady(old) ||
    isTerminated(pod) !== isTerminated(old) ||
    JSON.stringify(pod.metadata.labels) !== JSON.stringify(old.metadata.labels)
  );
}

function containerPort(pod: Pod, name: string, protocol: string): number | undefined {
  const sidecars = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  return [...(pod.spec?.containers ?? []), ...sidecars]
    .flatMap((container) => container.ports ?? [])
    .find((port) => port.name === name && (port.protocol ?? 'TCP') === protocol)?.containerPort;
}

function targetOf(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort as number | string | undefined;
  if (typeof target === 'string') {
    if (target === '') return port.port;
    return containerPort(pod, target, port.protocol ?? 'TCP');
  }
  return target === undefined || target === 0 ? port.port : target;
}

/** The Service's ports as this pod has them; ports that it has not are left out. */
export function portsOf(service: Service, pod: Pod): ResolvedPort[] {
  const found: ResolvedPort[] = [];
  for (const port of service.spec?.ports ?? []) {
    const number = targetOf(pod, port);
    if (number === undefined) continue;
    const { name = '', protocol = 'TCP', appProtocol } = port;
    found.push({ name, port: number, protocol, ...(appProtocol ? { appProtocol } : {}) });
  }
  return found;
}

/** Equal for equal ports, whatever their order. */
export const portsKey = (ports: readonly ResolvedPort[]): string =>
  ports
    .map((p) => [p.name, p.port, p.protocol, p.appProtocol ?? ''].join('/'))
    .sort()
    .join(',');

/** The pod's name in DNS, when it asks for one below this Service. */
export const hostnameOf = (service: Service, pod: Pod): string | undefined =>
  pod.spec?.hostname && pod.spec.subdomain === service.metadata.name
    ? pod.spec.hostname
    : undefined;
