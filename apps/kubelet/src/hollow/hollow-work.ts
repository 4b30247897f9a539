import type { Pod } from '@orrery/api';
import { findContainer, initContainersOf, isSidecar } from '../containers/visit.js';
import type { KubeletParts } from '../kubelet.js';

/** Work that ends (init containers, Jobs) takes this long on a node without processes. */
const WORK_MS = 1000;

/** Probes and hooks of containers that are not there succeed; none is sent anywhere. */
export const PASSIVE: Pick<KubeletParts, 'prober' | 'hooks'> = {
  prober: { probe: () => Promise.resolve({ passed: true, output: '' }) },
  hooks: { run: () => Promise.resolve() },
};

/** How long a container of the pod runs by itself. */
export function workOf(pod: Pod | undefined, name: string): number | undefined {
  const container = pod && findContainer(pod, name);
  if (!container) return undefined;
  const isInit = initContainersOf(pod).includes(container) && !isSidecar(container);
  const ends = isInit || (pod.spec.restartPolicy ?? 'Always') !== 'Always';
  return ends && !isSidecar(container) ? WORK_MS : undefined;
}
