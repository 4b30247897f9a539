import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  zeroQuantity,
} from '@orrery/apimachinery';
import type { Quantity } from '@orrery/apimachinery';
import type { Container, Pod } from '@orrery/api';

export type Amounts = Map<string, Quantity>;

function readAmounts(list: Readonly<Record<string, unknown>> | undefined): Amounts {
  const amounts: Amounts = new Map();
  for (const [name, value] of Object.entries(list ?? {}))
    amounts.set(name, parseQuantity(value as string | number));
  return amounts;
}

export function addAmounts(into: Amounts, more: ReadonlyMap<string, Quantity>): void {
  for (const [name, value] of more)
    into.set(name, addQuantities(into.get(name) ?? zeroQuantity, value));
}

function raise(into: Amounts, least: Amounts): void {
  for (const [name, value] of least)
    if (compareQuantities(into.get(name) ?? zeroQuantity, value) < 0) into.set(name, value);
}

/**
 * What a pod asks for: its containers and sidecars together, or its greediest init container with the sidecars
 * before it if that is more, and the overhead (k8s component-helpers/resource: PodRequests).
 */
export function podAmounts(pod: Pod, field: 'requests' | 'limits'): Amounts {
  const amountsOf = ({ resources }: Container): Amounts => readAmounts(resources?.[field]);
  const total: Amounts = new Map();
  for (const container of pod.spec?.containers ?? []) addAmounts(total, amountsOf(container));
  const sidecars: Amounts = new Map();
  const peak: Amounts = new Map();
  for (const container of pod.spec?.initContainers ?? []) {
    const own = amountsOf(container);
    if (container.restartPolicy === 'Always') addAmounts(sidecars, own);
    else addAmounts(own, sidecars);
    raise(peak, container.restartPolicy === 'Always' ? sidecars : own);
  }
  addAmounts(total, sidecars);
  raise(total, peak);
  addAmounts(total, readAmounts(pod.spec?.overhead));
  return total;
}
