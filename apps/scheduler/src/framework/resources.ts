import { parseQuantity, quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import type { Container, ContainerStatus, Pod } from '@orrery/api';

/** Amounts of one pod or one node, as plain numbers. */
export interface Resources {
  milliCpu: number;
  memory: number;
  ephemeralStorage: number;
  /** How many pods: a node's limit. */
  pods: number;
  /** Extended resources and huge pages by name. */
  readonly scalars: Map<string, number>;
}

export const newResources = (): Resources => ({
  milliCpu: 0,
  memory: 0,
  ephemeralStorage: 0,
  pods: 0,
  scalars: new Map(),
});

const MEMO_LIMIT = 10_000;
const memoize = (read: (text: string) => number): ((text: string) => number) => {
  const known = new Map<string, number>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size > MEMO_LIMIT) known.clear();
    const value = read(text);
    known.set(text, value);
    return value;
  };
};

const milliOf = memoize((text) => quantityMilliValue(parseQuantity(text)));
const valueOf = memoize((text) => quantityValue(parseQuantity(text)));

type ResourceList = Readonly<Record<string, string | number>>;

/** Reads a ResourceList. */
export function toResources(list: ResourceList | undefined): Resources {
  const all = newResources();
  for (const [name, raw] of Object.entries(list ?? {})) {
    const text = String(raw);
    if (name === 'cpu') all.milliCpu = milliOf(text);
    else if (name === 'memory') all.memory = valueOf(text);
    else if (name === 'ephemeral-storage') all.ephemeralStorage = valueOf(text);
    else if (name === 'pods') all.pods = valueOf(text);
    else all.scalars.set(name, valueOf(text));
  }
  return all;
}

/** Adds (or with -1 takes away) in place. */
export function addResources(to: Resources, what: Resources, sign: 1 | -1 = 1): void {
  to.milliCpu += sign * what.milliCpu;
  to.memory += sign * what.memory;
  to.ephemeralStorage += sign * what.ephemeralStorage;
  for (const [name, amount] of what.scalars)
    to.scalars.set(name, (to.scalars.get(name) ?? 0) + sign * amount);
}

function raiseTo(to: Resources, other: Resources): void {
  to.milliCpu = Math.max(to.milliCpu, other.milliCpu);
  to.memory = Math.max(to.memory, other.memory);
  to.ephemeralStorage = Math.max(to.ephemeralStorage, other.ephemeralStorage);
  for (const [name, amount] of other.scalars)
    to.scalars.set(name, Math.max(to.scalars.get(name) ?? 0, amount));
}

export const cloneResources = (from: Resources): Resources => ({
  ...from,
  scalars: new Map(from.scalars),
});

const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

type RequestOf = (container: Container) => Resources;

interface StatusAmounts {
  readonly resources?: { readonly requests?: ResourceList };
  readonly allocatedResources?: ResourceList;
}

/** The node has said that it never can give what the specification asks for (KEP-1287). */
const isInfeasible = (pod: Pod): boolean =>
  pod.status?.conditions?.some(
    ({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible',
  ) ?? false;

/**
 * What is held while a resize is on its way: the most of what is asked for, what was granted and what is in effect
 * (k8s component-helpers/resource/helpers.go:determineContainerReqs).
 */
function held(
  pod: Pod,
  asked: ResourceList | undefined,
  { resources, allocatedResources }: StatusAmounts,
): Resources {
  const most = isInfeasible(pod) ? newResources() : toResources(asked);
  raiseTo(most, toResources(resources?.requests));
  raiseTo(most, toResources(allocatedResources));
  return most;
}

/** What each container asks for, or holds: of those that a node has told about, init containers only as sidecars. */
function requestsOf(pod: Pod): RequestOf {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const told = [...containerStatuses, ...initContainerStatuses].filter(
    ({ resources }) => resources !== undefined,
  );
  const asked: RequestOf = ({ resources }) => toResources(resources?.requests);
  if (told.length === 0) return asked;
  const byName = new Map<string, ContainerStatus>(told.map((status) => [status.name, status]));
  const once = new Set(
    (pod.spec.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy !== 'Always')
      .map(({ name }) => name),
  );
  return (container) => {
    const status = once.has(container.name) ? undefined : byName.get(container.name);
    return status ? held(pod, container.resources?.requests, status) : asked(container);
  };
}

/**
 * A container that asks for nothing counts for a little when nodes are compared; in a pod with resources of its own
 * only for what is asked for nowhere in it (k8s scheduler/framework/types.go:getNonMissingContainerRequests).
 */
function nonZeroRequestsOf(pod: Pod): RequestOf {
  const requestOf = requestsOf(pod);
  const whole = pod.spec.resources && (pod.spec.resources.requests ?? pod.spec.resources.limits);
  const { milliCpu, memory } = whole ? podRequest(pod) : newResources();
  return (container) => {
    const all = requestOf(container);
    const requests = container.resources?.requests ?? {};
    if (milliCpu === 0 && !('cpu' in requests)) all.milliCpu = DEFAULT_MILLI_CPU;
    if (memory === 0 && !('memory' in requests)) all.memory = DEFAULT_MEMORY;
    return all;
  };
}

/**
 * What a pod takes: the larger of all containers with the sidecars together, and of each init container with the
 * sidecars that start before it; plus overhead (k8s component-helpers/resource/helpers.go:PodRequests).
 */
function sumOf(pod: Pod, requestOf: RequestOf): Resources {
  const total = newResources();
  for (const container of pod.spec.containers) addResources(total, requestOf(container));
  const sidecars = newResources();
  const init = newResources();
  for (const container of pod.spec.initContainers ?? []) {
    const request = requestOf(container);
    if (container.restartPolicy === 'Always') {
      addResources(total, request);
      addResources(sidecars, request);
      raiseTo(init, sidecars);
    } else {
      addResources(request, sidecars);
      raiseTo(init, request);
    }
  }
  raiseTo(total, init);
  applyPodLevel(total, pod);
  if (pod.spec.overhead) addResources(total, toResources(pod.spec.overhead));
  return total;
}

/** cpu, memory and huge pages of the pod as a whole go before those of its containers. */
function applyPodLevel(total: Resources, pod: Pod): void {
  const requests = pod.spec.resources?.requests;
  if (!requests) return;
  const own = pod.status?.resources ? held(pod, requests, pod.status) : toResources(requests);
  if ('cpu' in requests) total.milliCpu = own.milliCpu;
  if ('memory' in requests) total.memory = own.memory;
  for (const [name, amount] of own.scalars)
    if (name.startsWith('hugepages-')) total.scalars.set(name, amount);
}

/** With the resizes that are on their way. */
export const podRequest = (pod: Pod): Resources => sumOf(pod, requestsOf(pod));

export const podNonZeroRequest = (pod: Pod): Resources => sumOf(pod, nonZeroRequestsOf(pod));

/** Whether `after` leaves free something of what `wanted` asks for. */
export function givesBack(before: Resources, after: Resources, wanted: Resources): boolean {
  const less = (was: number, is: number, want: number): boolean => want > 0 && was > is;
  return (
    less(before.milliCpu, after.milliCpu, wanted.milliCpu) ||
    less(before.memory, after.memory, wanted.memory) ||
    less(before.ephemeralStorage, after.ephemeralStorage, wanted.ephemeralStorage) ||
    [...wanted.scalars].some(([name, want]) =>
      less(before.scalars.get(name) ?? 0, after.scalars.get(name) ?? 0, want),
    )
  );
}
