import type { Container, Pod } from '@orrery/api';
import { CONFIG_MIRROR_ANNOTATION, CONFIG_SOURCE_ANNOTATION } from '../runtime/labels.js';

export const initContainersOf = (pod: Pod): readonly Container[] => pod.spec.initContainers ?? [];

/** EphemeralContainer has every field of Container that the kubelet uses. */
export const ephemeralContainersOf = (pod: Pod): readonly Container[] =>
  pod.spec.ephemeralContainers ?? [];

/** Init, regular and ephemeral containers: checks that forget a list are a known source of holes. */
export function allContainers(pod: Pod): readonly Container[] {
  return [...initContainersOf(pod), ...pod.spec.containers, ...ephemeralContainersOf(pod)];
}

/** An init container that keeps running beside the regular ones. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

export const findContainer = (pod: Pod, name: string): Container | undefined =>
  allContainers(pod).find((container) => container.name === name);

export const uidOf = (pod: Pod): string => pod.metadata.uid ?? '';

export const isMirrorPod = (pod: Pod): boolean =>
  pod.metadata.annotations?.[CONFIG_MIRROR_ANNOTATION] !== undefined;

/** Read from a manifest folder, not from the API. */
export function isStaticPod(pod: Pod): boolean {
  const source = pod.metadata.annotations?.[CONFIG_SOURCE_ANNOTATION];
  return source !== undefined && source !== 'api' && !isMirrorPod(pod);
}

/** `name_namespace`: upstream's pod full name, in messages and for pairing static pods with mirrors. */
export const fullNameOf = (pod: Pod): string =>
  `${pod.metadata.name ?? ''}_${pod.metadata.namespace ?? ''}`;

/** `name_namespace(uid)`: how upstream's messages name a pod. */
export const describePod = (pod: Pod): string => `${fullNameOf(pod)}(${uidOf(pod)})`;
