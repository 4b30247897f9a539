import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  zeroQuantity,
} from '@orrery/apimachinery';
import type { Quantity } from '@orrery/apimachinery';
import type { Container, Pod } from '../../../types.js';

/** Quantities by the name of their resource. */
export type Amounts = ReadonlyMap<string, Quantity>;
/** Which half of `resources`. */
export type ResourceField = 'requests' | 'limits';

/** Amounts that cannot be read are left out: validation names them. */
function readAmounts(list: Readonly<Record<string, unknown>> | undefined): Amounts {
  const amounts = new Map<string, Quantity>();
  for (const [name, value] of Object.entries(list ?? {})) {
    try {
      amounts.set(name, parseQuantity(value as string | number));
    } catch {
      continue;
    }
  }
  return amounts;
}

/** What a container asks for. */
export const containerAmounts = ({ resources }: Container, field: ResourceField): Amounts =>
  readAmounts(resources?.[field]);

/** Adds to what is there, name by name. */
export function addAmounts(into: Map<string, Quantity>, more: Amounts): void {
  for (const [name, value] of more)
    into.set(name, addQuantities(into.get(name) ?? zeroQuantity, value));
}

function raise(into: Map<string, Quantity>, least: Amounts): void {
  for (const [name, value] of least)
    if (compareQuantities(into.get(name) ?? zeroQuantity, value) < 0) into.set(name, value);
}

/** The node has said that it never can give what is asked for (KEP-1287). */
const isInfeasible = ({ status }: Pod): boolean =>
  status?.conditions?.some(
    ({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible',
  ) ?? false;

interface StatusAmounts {
  readonly resources?: Container['resources'];
  readonly allocatedResources?: Readonly<Record<string, string>>;
}

/** The most of what is asked for, was granted and is in effect, of containers and pods that a node has told about. */
function held(
  pod: Pod,
  asked: Amounts,
  status: StatusAmounts | undefined,
  field: ResourceField,
): Amounts {
  if (!status?.resources) return asked;
  const most = new Map(isInfeasible(pod) ? [] : asked);
  raise(most, readAmounts(status.resources[field]));
  if (field === 'requests') raise(most, readAmounts(status.allocatedResources));
  return most;
}

/** Whether a pod can ask for it as a whole. */
const isForPods = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

/** What each container asks for or holds. */
function amountsByContainer(pod: Pod, field: ResourceField): (container: Container) => Amounts {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const told = new Map(
    [...containerStatuses, ...initContainerStatuses].map((status) => [status.name, status]),
  );
  return (container) =>
    held(pod, containerAmounts(container, field), told.get(container.name), field);
}

type AmountsOf = (container: Container) => Amounts;

/** The containers and sidecars together, or the greediest init container with the sidecars before it. */
function ofContainers(
  { spec }: Pod,
  amountsOf: AmountsOf,
  asked: AmountsOf,
): Map<string, Quantity> {
  const total = new Map<string, Quantity>();
  for (const container of spec?.containers ?? []) addAmounts(total, amountsOf(container));
  const sidecars = new Map<string, Quantity>();
  const peak = new Map<string, Quantity>();
  for (const container of spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      addAmounts(sidecars, amountsOf(container));
      raise(peak, sidecars);
    } else {
      const own = new Map(asked(container));
      addAmounts(own, sidecars);
      raise(peak, own);
    }
  }
  addAmounts(total, sidecars);
  raise(total, peak);
  return total;
}

/**
 * What a pod asks for: its containers and sidecars together, or its greediest init container with the sidecars
 * before it if that is more; what it asks for as a whole goes before; and the overhead. While it is resized, the most of
 * what is asked for, granted and in effect (k8s component-helpers/resource: PodRequests, PodLimits).
 */
export function podAmounts(pod: Pod, field: ResourceField): Map<string, Quantity> {
  const total = ofContainers(pod, amountsByContainer(pod, field), (container) =>
    containerAmounts(container, field),
  );
  // A node tells of every pod what it holds as a whole: that counts for those that ask for it.
  const asked = readAmounts(pod.spec?.resources?.[field]);
  const whole = [...asked.keys()].some(isForPods) ? held(pod, asked, pod.status, field) : [];
  for (const [name, value] of whole) if (isForPods(name)) total.set(name, value);
  for (const [name, value] of readAmounts(pod.spec?.overhead))
    // What has no limit gets none by it.
    if (field === 'requests' || total.has(name)) addAmounts(total, new Map([[name, value]]));
  return total;
}
