import type { PodInfo } from './pod-info.js';
import type { Resources } from './resources.js';

const amounts = (all: Resources): unknown[] => [
  all.milliCpu,
  all.memory,
  all.ephemeralStorage,
  ...all.scalars,
];

/** Everything of a pod that `local` plugins look at; the same for pods made from one template. */
export function templateKey({ pod, request, nonZeroRequest, hostPorts }: PodInfo): string {
  const { spec } = pod;
  const images = [...(spec.initContainers ?? []), ...spec.containers].map(({ image }) => image);
  return JSON.stringify([
    spec.nodeName,
    spec.nodeSelector,
    spec.affinity?.nodeAffinity,
    spec.tolerations,
    images,
    hostPorts,
    amounts(request),
    amounts(nonZeroRequest),
  ]);
}
