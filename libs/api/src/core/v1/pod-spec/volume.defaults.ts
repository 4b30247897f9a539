import type { DownwardAPIVolumeFile, Volume, VolumeProjection } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { defaultPullPolicy } from './image.js';

/** 0644: how files of secrets, config maps and projections are written unless the volume says otherwise. */
const DEFAULT_MODE = 420;
const DEFAULT_TOKEN_SECONDS = 3600;

function setFileDefaults(files: readonly DownwardAPIVolumeFile[] | undefined): void {
  for (const { fieldRef, resourceFieldRef } of list(files)) {
    if (fieldRef) fieldRef.apiVersion ||= 'v1';
    if (resourceFieldRef) resourceFieldRef.divisor ||= '0';
  }
}

function setProjectionDefaults(source: VolumeProjection): void {
  if (source.serviceAccountToken) {
    source.serviceAccountToken.expirationSeconds ??= DEFAULT_TOKEN_SECONDS;
  }
  setFileDefaults(source.downwardAPI?.items);
}

function setLegacyDefaults(volume: Volume): void {
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= 'default';
  if (volume.rbd) {
    volume.rbd.pool ||= 'rbd';
    volume.rbd.user ||= 'admin';
    volume.rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (volume.azureDisk) {
    volume.azureDisk.cachingMode ??= 'ReadWrite';
    volume.azureDisk.kind ??= 'Shared';
    volume.azureDisk.fsType ??= 'ext4';
    volume.azureDisk.readOnly ??= false;
  }
}

/** k8s pkg/apis/core/v1/defaults.go:SetDefaults_Volume and its sources. */
export function setVolumeDefaults(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected]) {
    if (source) source.defaultMode ??= DEFAULT_MODE;
  }
  setFileDefaults(volume.downwardAPI?.items);
  list(volume.projected?.sources).forEach(setProjectionDefaults);
  if (volume.hostPath) volume.hostPath.type ??= '';
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) claim.volumeMode ??= 'Filesystem';
  setLegacyDefaults(volume);
}
