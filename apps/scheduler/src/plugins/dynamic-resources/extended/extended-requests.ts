import { parseQuantity, quantityValue } from '@orrery/apimachinery';
import type { Container, ContainerExtendedResourceRequest, DeviceRequest, Pod } from '@orrery/api';

export interface ExtendedRequests {
  /** By name. */
  readonly requests: readonly DeviceRequest[];
  /** Which containers use them. */
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

interface Part {
  /** What the container asks for beyond what it may use of others. */
  readonly request?: DeviceRequest;
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

/** One resource, and the class whose devices it stands for. */
interface Wanted {
  readonly resource: string;
  readonly deviceClassName: string;
}

const countOf = ({ exactly }: DeviceRequest): number => exactly?.count ?? 0;

const amountOf = ({ resources }: Container, resource: string): number => {
  const text = resources?.requests?.[resource];
  return text === undefined ? 0 : quantityValue(parseQuantity(String(text)));
};

/** What the container at an index asks for, after what it may use of later containers' devices. */
function partOf(
  [index, container]: readonly [number, Container],
  { resource, deviceClassName }: Wanted,
  reusable: readonly (DeviceRequest | undefined)[] = [],
): Part {
  const amount = amountOf(container, resource);
  if (amount === 0) return { mappings: [] };
  const mapping = (requestName: string): ContainerExtendedResourceRequest => ({
    containerName: container.name,
    resourceName: resource,
    requestName,
  });
  const mappings: ContainerExtendedResourceRequest[] = [];
  let sum = 0;
  for (const other of reusable) {
    if (!other) continue;
    sum += countOf(other);
    mappings.push(mapping(other.name));
    if (sum >= amount) return { mappings };
  }
  const place = Object.keys(container.resources?.requests ?? {})
    .sort()
    .indexOf(resource);
  const name = `container-${index}-request-${place}`;
  const exactly = { deviceClassName, allocationMode: 'ExactCount' as const, count: amount - sum };
  return { request: { name, exactly }, mappings: [...mappings, mapping(name)] };
}

const isShortLived = (index: number, { restartPolicy }: Container, inits: number): boolean =>
  index < inits && restartPolicy !== 'Always';

/**
 * Init containers that end share the largest of their requests, and use the devices of containers that come after them
 * (k8s extendeddynamicresources.go:createRequestsAndMappings).
 */
function requestsFor(
  containers: readonly Container[],
  inits: number,
  wanted: Wanted,
): ExtendedRequests {
  const all = [...containers.entries()];
  const long = all.map((each) => (isShortLived(...each, inits) ? undefined : partOf(each, wanted)));
  const lasting = long.map((part) => part?.request);
  const short = all
    .filter((each) => isShortLived(...each, inits))
    .map((each) => partOf(each, wanted, lasting.slice(each[0])));
  const asked = short.flatMap(({ request }) => request ?? []);
  const largest = asked.reduce<DeviceRequest | undefined>(
    (max, each) => (max && countOf(max) >= countOf(each) ? max : each),
    undefined,
  );
  const shared = new Set(asked.map(({ name }) => name));
  const renamed = short
    .flatMap(({ mappings }) => mappings)
    .map((each) =>
      largest && shared.has(each.requestName) ? { ...each, requestName: largest.name } : each,
    );
  return {
    requests: [...(largest ? [largest] : []), ...lasting.flatMap((request) => request ?? [])],
    mappings: [...long.flatMap((part) => part?.mappings ?? []), ...renamed],
  };
}

/** Pure: the requests for devices that stand for a pod's extended resources, by resource its class. */
export function extendedRequests(pod: Pod, classes: ReadonlyMap<string, string>): ExtendedRequests {
  const inits = pod.spec.initContainers ?? [];
  const containers = [...inits, ...pod.spec.containers];
  const parts = [...classes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, deviceClassName]) =>
      requestsFor(containers, inits.length, { resource, deviceClassName }),
    );
  const requests = parts.flatMap((part) => part.requests);
  return {
    requests: requests.sort((a, b) => (a.name < b.name ? -1 : 1)),
    mappings: parts.flatMap((part) => part.mappings),
  };
}
