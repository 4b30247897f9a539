import type { Lease } from '@orrery/api';
import type { ServerStorageVersion, StorageVersion } from './storage-version.js';

const IDENTITY = 'apiserver.kubernetes.io/identity';

/** Whether the Lease is the identity of an API server that runs. */
export const isIdentity = ({ metadata }: Lease): boolean =>
  metadata.labels?.[IDENTITY] === 'kube-apiserver';

export type StorageVersionDecision =
  | { readonly act: 'keep' }
  | { readonly act: 'delete' }
  | { readonly act: 'update'; readonly status: NonNullable<StorageVersion['status']> };

/** The version that all servers write, if they do. */
function commonOf(servers: readonly ServerStorageVersion[]): string | undefined {
  const versions = new Set(servers.map(({ encodingVersion }) => encodingVersion));
  return versions.size === 1 ? servers[0]?.encodingVersion : undefined;
}

/** Pure: what of a StorageVersion is left without the servers that are gone (k8s pkg/controller/storageversiongc). */
export function decideStorageVersion(
  { status = {} }: StorageVersion,
  isAlive: (server: string) => boolean,
): StorageVersionDecision {
  const { storageVersions: all = [], commonEncodingVersion: _, ...rest } = status;
  const left = all.filter(({ apiServerID = '' }) => isAlive(apiServerID));
  if (left.length === all.length) return { act: 'keep' };
  if (left.length === 0) return { act: 'delete' };
  const common = commonOf(left);
  return {
    act: 'update',
    status: {
      ...rest,
      storageVersions: left,
      ...(common === undefined ? {} : { commonEncodingVersion: common }),
    },
  };
}
