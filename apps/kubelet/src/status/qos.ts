import type { Container, Pod } from '@orrery/api';

type QosClass = 'BestEffort' | 'Burstable' | 'Guaranteed';

const isSet = (amount: string | undefined): boolean =>
  amount !== undefined && !/^0+[a-zA-Z]*$/.test(amount);

function isGuaranteed(container: Container): boolean {
  const { limits = {}, requests = {} } = container.resources ?? {};
  return ['cpu', 'memory'].every(
    (name) =>
      isSet(limits[name]) && (requests[name] === undefined || requests[name] === limits[name]),
  );
}

function hasAny(container: Container): boolean {
  const { limits = {}, requests = {} } = container.resources ?? {};
  return ['cpu', 'memory'].some((name) => isSet(limits[name]) || isSet(requests[name]));
}

/** k8s pkg/apis/core/v1/helper/qos/qos.go:ComputePodQOS. */
export function qosClassOf(pod: Pod): QosClass {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  if (!containers.some(hasAny)) return 'BestEffort';
  return containers.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}
