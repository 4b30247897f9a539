import { isDeepStrictEqual } from 'node:util';
import type { Endpoint, EndpointSlice } from '@orrery/api';
import type { OwnerReference } from '@orrery/apimachinery';
import type { ResolvedPort } from './service-pods.js';
import { portsKey } from './service-pods.js';

export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';

export type AddressType = 'IPv4' | 'IPv6';

/** Endpoints that share their ports: what one slice can hold. */
export interface EndpointGroup {
  readonly addressType: AddressType;
  readonly ports: readonly ResolvedPort[];
  /** By address. */
  readonly endpoints: Map<string, Endpoint>;
}

/** Whose slices they are. */
export interface SliceOwner {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly reference: OwnerReference;
  /** Endpoints of one slice. */
  readonly most: number;
  /** Families that keep one empty slice when there is no endpoint. */
  readonly placeholders: readonly AddressType[];
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

export const groupKey = (type: string, ports: readonly ResolvedPort[]): string =>
  `${type}|${portsKey(ports)}`;

/** Adds an endpoint to the group of its family and ports. */
export function addEndpoint(
  groups: Map<string, EndpointGroup>,
  { addressType, ports }: Pick<EndpointGroup, 'addressType' | 'ports'>,
  address: string,
  endpoint: Endpoint,
): void {
  const key = groupKey(addressType, ports);
  const group = groups.get(key) ?? { addressType, ports, endpoints: new Map() };
  group.endpoints.set(address, endpoint);
  groups.set(key, group);
}

function newSlice(
  owner: SliceOwner,
  group: Pick<EndpointGroup, 'addressType' | 'ports'>,
  endpoints: Endpoint[],
): EndpointSlice {
  return {
    metadata: {
      generateName: `${owner.name}-`,
      namespace: owner.namespace,
      labels: { ...owner.labels },
      ...(Object.keys(owner.annotations ?? {}).length > 0
        ? { annotations: { ...owner.annotations } }
        : {}),
      ownerReferences: [owner.reference],
    },
    addressType: group.addressType,
    endpoints,
    ports: group.ports.map((port) => ({ ...port })),
  };
}

const chunk = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );

/** The slice's endpoints that are still wanted, as they are now; taken out of `left`. */
function keep(slice: EndpointSlice, left: Map<string, Endpoint>): Endpoint[] {
  const kept: Endpoint[] = [];
  for (const { addresses } of slice.endpoints ?? []) {
    const address = addresses[0] ?? '';
    const endpoint = left.get(address);
    if (endpoint) kept.push(endpoint);
    left.delete(address);
  }
  return kept;
}

/**
 * Pure: the smallest change of slices that says what the groups say: endpoints stay in their slices, new ones fill
 * slices that change anyway or have room, and without endpoints one empty slice is kept where that is wanted.
 */
export function packSlices(
  owner: SliceOwner,
  groups: ReadonlyMap<string, EndpointGroup>,
  existing: readonly EndpointSlice[],
): SlicePlan {
  const left = new Map([...groups].map(([key, g]) => [key, new Map(g.endpoints)]));
  const wanted = existing.map((slice) => {
    const key = groupKey(slice.addressType, (slice.ports ?? []) as ResolvedPort[]);
    return { slice, key, endpoints: keep(slice, left.get(key) ?? new Map<string, Endpoint>()) };
  });
  for (const { key, endpoints } of wanted) fill(endpoints, left.get(key), owner.most);
  const create = [...left].flatMap(([key, rest]) => {
    const group = groups.get(key);
    return group
      ? chunk([...rest.values()], owner.most).map((part) => newSlice(owner, group, part))
      : [];
  });
  return settle(owner, wanted, create);
}

function fill(endpoints: Endpoint[], rest: Map<string, Endpoint> | undefined, most: number): void {
  for (const [address, endpoint] of rest ?? []) {
    if (endpoints.length >= most) return;
    endpoints.push(endpoint);
    rest?.delete(address);
  }
}

interface Wanted {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
}

/** Of each family without endpoints one slice stays, or is made, that says so (k8s endpointslice/reconciler.go). */
function settle(
  owner: SliceOwner,
  wanted: readonly Wanted[],
  create: readonly EndpointSlice[],
): SlicePlan {
  const labels = { ...owner.labels };
  const full = wanted.filter(({ endpoints }) => endpoints.length > 0);
  const said = new Set([...full.map(({ slice }) => slice), ...create].map((s) => s.addressType));
  const silent = owner.placeholders.filter((family) => !said.has(family));
  const empty = silent.map((family) => ({
    family,
    kept: wanted.find(({ slice }) => slice.addressType === family),
  }));
  const kept = [...full, ...empty.flatMap(({ kept: one }) => (one ? [one] : []))];
  const update = kept.flatMap(({ slice, endpoints }) => {
    const { annotations = slice.metadata.annotations } = owner;
    const ports = endpoints.length > 0 ? slice.ports : [];
    const isSame =
      isDeepStrictEqual(endpoints, slice.endpoints ?? []) &&
      isDeepStrictEqual(ports ?? [], slice.ports ?? []) &&
      isDeepStrictEqual(annotations ?? {}, slice.metadata.annotations ?? {}) &&
      isDeepStrictEqual(labels, slice.metadata.labels);
    const more = annotations ? { annotations: { ...annotations } } : {};
    const changed = { ...slice, metadata: { ...slice.metadata, labels, ...more }, endpoints };
    return isSame ? [] : [ports ? { ...changed, ports } : changed];
  });
  const placeholders = empty
    .filter(({ kept: one }) => !one)
    .map(({ family }) => newSlice(owner, { addressType: family, ports: [] }, []));
  return {
    create: [...create, ...placeholders],
    update,
    remove: wanted.filter((w) => !kept.includes(w)).map(({ slice }) => slice),
  };
}
