import type { Container, PodSpec, PodStatus } from '../../../types.js';
import { entries, list } from '../../../meta/list.js';
import { quantityValue } from '../../../meta/quantity.js';
import { isPodResource } from '../pod-spec/pod-resources.validation.js';

const COUNTED = ['cpu', 'memory'];

function amounts(resources: Readonly<Record<string, string>> | undefined): Map<string, number> {
  return new Map(
    entries(resources)
      .filter(([name]) => COUNTED.includes(name))
      .map(([name, text]): [string, number] => [name, quantityValue(text)])
      .filter(([, value]) => value > 0),
  );
}

type Resources = Container['resources'];

function isGuaranteed(resources: Resources): boolean {
  const limits = amounts(resources?.limits);
  const requests = amounts(resources?.requests);
  return COUNTED.every(
    (name) => limits.has(name) && (requests.get(name) ?? limits.get(name)) === limits.get(name),
  );
}

const hasPodResources = ({ resources }: PodSpec): boolean =>
  [...entries(resources?.requests), ...entries(resources?.limits)].some(([name]) =>
    isPodResource(name),
  );

/** k8s pkg/apis/core/v1/helper/qos/qos.go:ComputePodQOS; what a pod asks for as a whole goes before its containers. */
export function qosClassOf(spec: PodSpec): NonNullable<PodStatus['qosClass']> {
  const asked: readonly Resources[] = hasPodResources(spec)
    ? [spec.resources]
    : [...list(spec.containers), ...list(spec.initContainers)].map(({ resources }) => resources);
  const asksNothing = asked.every(
    (resources) => amounts(resources?.limits).size + amounts(resources?.requests).size === 0,
  );
  if (asksNothing) return 'BestEffort';
  return asked.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}
