import type { Container, Pod, Volume } from '@orrery/api';
import { visitContainers } from './visit-containers.js';

/** The names, in the pod's own namespace, that a pod lets its node read. */
export interface PodReferences {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
}

interface Draft {
  readonly secrets: Set<string>;
  readonly configMaps: Set<string>;
  readonly claims: Set<string>;
}

function addTo(set: Set<string>, name: string | undefined): void {
  if (name) set.add(name);
}

/** Volume sources that name a secret through a reference object. */
const secretReferences = (volume: Volume): (string | undefined)[] =>
  [
    volume.cephfs?.secretRef,
    volume.flexVolume?.secretRef,
    volume.iscsi?.secretRef,
    volume.rbd?.secretRef,
    volume.scaleIO?.secretRef,
    volume.storageos?.secretRef,
    volume.csi?.nodePublishSecretRef,
  ].map((reference) => reference?.name);

function visitVolume(volume: Volume, podName: string, out: Draft): void {
  addTo(out.secrets, volume.secret?.secretName);
  addTo(out.secrets, volume.azureFile?.secretName);
  for (const name of secretReferences(volume)) addTo(out.secrets, name);
  addTo(out.configMaps, volume.configMap?.name);
  addTo(out.claims, volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral) addTo(out.claims, `${podName}-${volume.name}`);
  for (const source of volume.projected?.sources ?? []) {
    addTo(out.secrets, source.secret?.name);
    addTo(out.configMaps, source.configMap?.name);
  }
}

function visitEnvironment(container: Pick<Container, 'env' | 'envFrom'>, out: Draft): void {
  for (const source of container.envFrom ?? []) {
    addTo(out.secrets, source.secretRef?.name);
    addTo(out.configMaps, source.configMapRef?.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    addTo(out.secrets, valueFrom?.secretKeyRef?.name);
    addTo(out.configMaps, valueFrom?.configMapKeyRef?.name);
  }
}

/** Everything that a pod names (k8s pkg/api/pod/util.go VisitPodSecretNames, VisitPodConfigmapNames). */
export function podReferences({ metadata, spec }: Pod): PodReferences {
  const out: Draft = { secrets: new Set(), configMaps: new Set(), claims: new Set() };
  for (const reference of spec?.imagePullSecrets ?? []) addTo(out.secrets, reference.name);
  for (const container of visitContainers(spec)) visitEnvironment(container, out);
  for (const volume of spec?.volumes ?? []) visitVolume(volume, metadata.name ?? '', out);
  return out;
}
