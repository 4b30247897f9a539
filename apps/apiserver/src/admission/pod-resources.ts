import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  zeroQuantity,
} from '@orrery/apimachinery';
import type { Quantity } from '@orrery/apimachinery';
import type { Container, Pod } from '@orrery/api';

export type Amounts = ReadonlyMap<string, Quantity>;
export type ResourceField = 'requests' | 'limits';

/** What a container asks for; amounts that cannot be read are left out (validation names them). */
export function containerAmounts(container: Container, field: ResourceField): Amounts {
  const amounts = new Map<string, Quantity>();
  for (const [name, value] of Object.entries(container.resources?.[field] ?? {})) {
    try {
      amounts.set(name, parseQuantity(value as string | number));
    } catch {
      continue;
    }
  }
  return amounts;
}

function add(into: Map<string, Quantity>, more: Amounts): void {
  for (const [name, value] of more)
    into.set(name, addQuantities(into.get(name) ?? zeroQuantity, value));
}

function raise(into: Map<string, Quantity>, least: Amounts): void {
  for (const [name, value] of least)
    if (compareQuantities(into.get(name) ?? zeroQuantity, value) < 0) into.set(name, value);
}

/** A pod's own amounts: all containers together, or its greediest init container if that is more (k8s component-helpers/resource). */
export function podAmounts(pod: Pod, field: ResourceField): Amounts {
  const total = new Map<string, Quantity>();
  for (const container of pod.spec?.containers ?? [])
    add(total, containerAmounts(container, field));
  const sidecars = new Map<string, Quantity>();
  const peak = new Map<string, Quantity>();
  for (const container of pod.spec?.initContainers ?? []) {
    const own = new Map(containerAmounts(container, field));
    if (container.restartPolicy === 'Always') {
      add(sidecars, own);
      raise(peak, sidecars);
    } else {
      add(own, sidecars);
      raise(peak, own);
    }
  }
  add(total, sidecars);
  raise(total, peak);
  const overhead = new Map(
    Object.entries(pod.spec?.overhead ?? {}).map(([n, v]) => [n, parseQuantity(v as string)]),
  );
  add(total, overhead);
  return total;
}
