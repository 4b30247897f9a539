import type { FieldPath } from '@orrery/apimachinery';
import type { PersistentVolumeClaimSpec, Volume, VolumeProjection } from '../../../types.js';
import { eachOf, list } from '../../../meta/list.js';
import { fractionalBytes } from './container-warnings.js';

const DEPRECATED: readonly [keyof Volume, string, string][] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** Sizes of a claim that are no whole bytes (k8s pkg/api/persistentvolumeclaim/util.go). */
export const claimWarnings = (
  spec: PersistentVolumeClaimSpec | undefined,
  path: FieldPath,
): string[] => [
  ...fractionalBytes(spec?.resources?.requests, path.child('resources', 'requests'), ['storage']),
  ...fractionalBytes(spec?.resources?.limits, path.child('resources', 'limits'), ['storage']),
];

interface File {
  readonly path: string;
  readonly source: string;
}

const shown = ({ path, source }: File): string =>
  source ? `${JSON.stringify(path)} (${source})` : JSON.stringify(path);

const files = (items: readonly { readonly path?: string }[] | undefined, source: string): File[] =>
  list(items).map(({ path }) => ({ path: String(path ?? '').replace(/\/+$/, ''), source }));

function overlaps(all: readonly File[]): string[] {
  return all.flatMap((file, i) =>
    all
      .slice(0, file.path === '' ? 0 : i)
      .filter(
        ({ path }) =>
          path !== '' &&
          (`${path}/`.startsWith(`${file.path}/`) || `${file.path}/`.startsWith(`${path}/`)),
      )
      .map((other) => `${shown(file)} with ${shown(other)}`),
  );
}

function projectedFiles(source: VolumeProjection): File[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle } = source;
  if (configMap?.items)
    return files(configMap.items, `ConfigMap ${JSON.stringify(configMap.name ?? '')}`);
  if (secret?.items) return files(secret.items, `Secret ${JSON.stringify(secret.name ?? '')}`);
  if (downwardAPI?.items) return files(downwardAPI.items, 'DownwardAPI');
  if (serviceAccountToken) return files([serviceAccountToken], 'ServiceAccountToken');
  if (!clusterTrustBundle) return [];
  const name = clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? '';
  return files([clusterTrustBundle], `ClusterTrustBundle ${JSON.stringify(name)}`);
}

function overlapWarnings(volume: Volume): string[] {
  const { name, configMap, secret, downwardAPI, projected } = volume;
  const warn = (what: string, all: readonly File[]): string[] =>
    overlaps(all).map(
      (each) => `volume ${JSON.stringify(name)} (${what}): overlapping paths: ${each}`,
    );
  return [
    ...(configMap
      ? warn(`ConfigMap ${JSON.stringify(configMap.name ?? '')}`, files(configMap.items, ''))
      : []),
    ...(secret
      ? warn(`Secret ${JSON.stringify(secret.secretName ?? '')}`, files(secret.items, ''))
      : []),
    ...(downwardAPI ? warn('DownwardAPI', files(downwardAPI.items, '')) : []),
    ...list(projected?.sources)
      .filter((source) => Object.keys(source).length === 0)
      .map(() => `volume ${JSON.stringify(name)} (Projected) has no sources provided`),
    ...(projected ? warn('Projected', list(projected.sources).flatMap(projectedFiles)) : []),
  ];
}

/** k8s pkg/api/pod/warnings.go, of volumes. */
export const volumeWarnings = (
  volumes: readonly Volume[] | undefined,
  path: FieldPath,
): string[] => [
  ...eachOf(volumes, (volume, i) => [
    ...DEPRECATED.filter(([field]) => volume[field]).map(
      ([, as, text]) => `${path.index(i).child(as).toString()}: ${text}`,
    ),
    ...claimWarnings(
      volume.ephemeral?.volumeClaimTemplate?.spec,
      path.index(i).child('ephemeral', 'volumeClaimTemplate', 'spec'),
    ),
  ]),
  ...eachOf(volumes, overlapWarnings),
];
