import type { Container, PodSpec, PodStatus } from '../../../types.js';
import { entries, list } from '../../../meta/list.js';
import { quantityValue } from '../../../meta/quantity.js';

const COUNTED = ['cpu', 'memory'];

function amounts(resources: Readonly<Record<string, string>> | undefined): Map<string, number> {
  return new Map(
    entries(resources)
      .filter(([name]) => COUNTED.includes(name))
      .map(([name, text]): [string, number] => [name, quantityValue(text)])
      .filter(([, value]) => value > 0),
  );
}

function isGuaranteed(container: Container): boolean {
  const limits = amounts(container.resources?.limits);
  const requests = amounts(container.resources?.requests);
  return COUNTED.every(
    (name) => limits.has(name) && (requests.get(name) ?? limits.get(name)) === limits.get(name),
  );
}

/** k8s pkg/apis/core/v1/helper/qos/qos.go:ComputePodQOS. */
export function qosClassOf(spec: PodSpec): NonNullable<PodStatus['qosClass']> {
  const containers = [...list(spec.containers), ...list(spec.initContainers)];
  const asksNothing = containers.every(
    ({ resources }) => amounts(resources?.limits).size + amounts(resources?.requests).size === 0,
  );
  if (asksNothing) return 'BestEffort';
  return containers.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}
