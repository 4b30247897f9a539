import type { Container, Pod, ResourceFieldSelector } from '@orrery/api';
import { parseQuantity } from '@orrery/apimachinery';
import { findContainer } from './visit.js';

/** A problem of the pod's configuration that may go away: shown as CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ContainerConfigError';
  }
}

export interface PodAddresses {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
}

const formatMap = (map: Readonly<Record<string, string>> = {}): string =>
  Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n');

function subscripted(pod: Pod, path: string): string | undefined {
  const match = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (!match) return undefined;
  const map = match[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations;
  return map?.[match[2] ?? ''] ?? '';
}

/** Value of `fieldPath`, for variables and files (k8s pkg/fieldpath/fieldpath.go and kubelet_pods.go). */
export function fieldValue(pod: Pod, path: string, addresses: PodAddresses): string {
  const fields: Readonly<Record<string, () => string>> = {
    'metadata.name': () => pod.metadata.name ?? '',
    'metadata.namespace': () => pod.metadata.namespace ?? '',
    'metadata.uid': () => pod.metadata.uid ?? '',
    'metadata.labels': () => formatMap(pod.metadata.labels),
    'metadata.annotations': () => formatMap(pod.metadata.annotations),
    'spec.nodeName': () => pod.spec.nodeName ?? '',
    'spec.serviceAccountName': () => pod.spec.serviceAccountName ?? '',
    'status.hostIP': () => addresses.hostIps[0] ?? '',
    'status.hostIPs': () => addresses.hostIps.join(','),
    'status.podIP': () => addresses.podIps[0] ?? '',
    'status.podIPs': () => addresses.podIps.join(','),
  };
  const value = fields[path]?.() ?? subscripted(pod, path);
  if (value === undefined) throw new ContainerConfigError(`unsupported fieldPath: ${path}`);
  return value;
}

function amountOf(
  pod: Pod,
  container: Container,
  resource: string,
  allocatable: Readonly<Record<string, string>>,
): string {
  const [list, ...rest] = resource.split('.');
  const name = rest.join('.');
  const resources = container.resources ?? {};
  const own = list === 'limits' ? resources.limits?.[name] : resources.requests?.[name];
  if (list !== 'limits') return own ?? '0';
  return own ?? pod.spec.resources?.limits?.[name] ?? allocatable[name] ?? '0';
}

/** Value of `resourceFieldRef`: rounded up in units of its divisor; an absent limit is that of the pod, else the node's allocatable. */
export function resourceValue(
  pod: Pod,
  container: Container,
  selector: ResourceFieldSelector,
  allocatable: Readonly<Record<string, string>>,
): string {
  const target = selector.containerName ? findContainer(pod, selector.containerName) : container;
  if (!target)
    throw new ContainerConfigError(`container "${selector.containerName ?? ''}" not found in pod`);
  const divisor = selector.divisor && selector.divisor !== '0' ? String(selector.divisor) : '1';
  const amount = toNumber(amountOf(pod, target, selector.resource, allocatable));
  return String(Math.ceil(amount / toNumber(divisor)));
}

const NANO = 1e9;

/** A quantity as a plain number; malformed ones, which validation refuses, count as 0. */
export function toNumber(quantity: string | number | undefined): number {
  if (quantity === undefined) return 0;
  try {
    return Number(parseQuantity(String(quantity)).nanos) / NANO;
  } catch {
    return 0;
  }
}
