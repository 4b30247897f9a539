import { parseQuantity, quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import type { Container, Pod } from '@orrery/api';

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

const requested: RequestOf = (container) => toResources(container.resources?.requests);

/** A container that asks for nothing counts for a little when nodes are compared (k8s scheduler/util/pod_resources.go). */
const nonZero: RequestOf = (container) => {
  const all = requested(container);
  const requests = container.resources?.requests ?? {};
  if (!('cpu' in requests)) all.milliCpu = DEFAULT_MILLI_CPU;
  if (!('memory' in requests)) all.memory = DEFAULT_MEMORY;
  return all;
};

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

function applyPodLevel(total: Resources, pod: Pod): void {
  const requests = pod.spec.resources?.requests;
  if (!requests) return;
  const own = toResources(requests);
  if ('cpu' in requests) total.milliCpu = own.milliCpu;
  if ('memory' in requests) total.memory = own.memory;
  for (const [name, amount] of own.scalars)
    if (name.startsWith('hugepages-')) total.scalars.set(name, amount);
}

export const podRequest = (pod: Pod): Resources => sumOf(pod, requested);

export const podNonZeroRequest = (pod: Pod): Resources => sumOf(pod, nonZero);
