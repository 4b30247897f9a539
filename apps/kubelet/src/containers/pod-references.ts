import type { Container, Pod, Volume } from '@orrery/api';
import { allContainers } from './visit.js';

export type ReferencedKind = 'configmaps' | 'secrets' | 'persistentvolumeclaims';

export interface PodReference {
  readonly kind: ReferencedKind;
  readonly name: string;
}

/** The claim behind a volume: named, or made for this pod by the ephemeral volume controller. */
export function claimNameOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.ephemeral) return `${pod.metadata.name ?? ''}-${volume.name}`;
  return volume.persistentVolumeClaim?.claimName;
}

const config = (name: string | undefined): PodReference | undefined =>
  name ? { kind: 'configmaps', name } : undefined;
const secret = (name: string | undefined): PodReference | undefined =>
  name ? { kind: 'secrets', name } : undefined;

function ofVolume(pod: Pod, volume: Volume): (PodReference | undefined)[] {
  const claim = claimNameOf(pod, volume);
  return [
    config(volume.configMap?.name),
    secret(volume.secret?.secretName),
    claim === undefined ? undefined : { kind: 'persistentvolumeclaims', name: claim },
    ...(volume.projected?.sources ?? []).flatMap((source) => [
      config(source.configMap?.name),
      secret(source.secret?.name),
    ]),
  ];
}

function ofVariables({ env = [], envFrom = [] }: Container): (PodReference | undefined)[] {
  return [
    ...envFrom.flatMap((one) => [config(one.configMapRef?.name), secret(one.secretRef?.name)]),
    ...env.flatMap(({ valueFrom }) => [
      config(valueFrom?.configMapKeyRef?.name),
      secret(valueFrom?.secretKeyRef?.name),
    ]),
  ];
}

/** Objects of the pod's namespace whose content its containers see or its images need, each once. */
export function podReferences(pod: Pod): PodReference[] {
  const found = [
    ...(pod.spec.imagePullSecrets ?? []).map(({ name }) => secret(name)),
    ...(pod.spec.volumes ?? []).flatMap((volume) => ofVolume(pod, volume)),
    ...allContainers(pod).flatMap(ofVariables),
  ];
  const unique = new Map(found.flatMap((one) => (one ? [[`${one.kind}/${one.name}`, one]] : [])));
  return [...unique.values()];
}
