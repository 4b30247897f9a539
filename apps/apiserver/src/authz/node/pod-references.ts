import type { Container, PersistentVolume, Pod, Volume } from '@orrery/api';
import { visitContainers } from '../visit-containers.js';

/** The names, in the pod's own namespace, that a pod lets its node read. */
export interface PodReferences {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
  readonly resourceClaims: ReadonlySet<string>;
}

interface Draft {
  readonly secrets: Set<string>;
  readonly configMaps: Set<string>;
  readonly claims: Set<string>;
  readonly resourceClaims: Set<string>;
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

interface SecretName {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

type VolumeSpec = NonNullable<PersistentVolume['spec']>;

const persistentReferences = ({
  azureFile: azure,
  csi,
  ...spec
}: VolumeSpec): readonly (SecretName | undefined)[] => [
  azure && { name: azure.secretName, namespace: azure.secretNamespace },
  spec.cephfs?.secretRef,
  spec.flexVolume?.secretRef,
  spec.rbd?.secretRef,
  spec.scaleIO?.secretRef,
  spec.iscsi?.secretRef,
  spec.storageos?.secretRef,
  csi?.nodePublishSecretRef,
  csi?.nodeStageSecretRef,
  csi?.nodeExpandSecretRef,
];

/** `namespace/name` of the secrets that a kubelet needs for a volume (k8s pkg/api/persistentvolume/util.go:VisitPVSecretNames). */
export function volumeSecrets({ spec }: PersistentVolume): ReadonlySet<string> {
  const home = spec.claimRef?.namespace ?? '';
  return new Set(
    persistentReferences(spec).flatMap((reference) =>
      reference?.name ? [`${reference.namespace || home}/${reference.name}`] : [],
    ),
  );
}

function visitClaims({ spec, status }: Pod, out: Draft): void {
  const named = [...(spec?.resourceClaims ?? []), ...(status?.resourceClaimStatuses ?? [])];
  for (const { resourceClaimName } of named) addTo(out.resourceClaims, resourceClaimName);
  addTo(out.resourceClaims, status?.extendedResourceClaimStatus?.resourceClaimName);
}

/** Everything that a pod names (k8s pkg/api/pod/util.go VisitPodSecretNames, VisitPodConfigmapNames). */
export function podReferences(pod: Pod): PodReferences {
  const { metadata, spec } = pod;
  const out: Draft = {
    secrets: new Set(),
    configMaps: new Set(),
    claims: new Set(),
    resourceClaims: new Set(),
  };
  visitClaims(pod, out);
  for (const reference of spec?.imagePullSecrets ?? []) addTo(out.secrets, reference.name);
  for (const container of visitContainers(spec)) visitEnvironment(container, out);
  for (const volume of spec?.volumes ?? []) visitVolume(volume, metadata.name ?? '', out);
  return out;
}
