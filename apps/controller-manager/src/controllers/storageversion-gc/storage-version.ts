import type { KubeObject } from '@orrery/apimachinery';
import { ref } from '@orrery/api';

/** What one API server writes and reads of a resource (k8s apiserverinternal/v1alpha1). */
export interface ServerStorageVersion {
  apiServerID?: string;
  encodingVersion?: string;
  decodableVersions?: string[];
  servedVersions?: string[];
}

/** In which versions the API servers of a cluster store a resource; named `<group>.<resource>`. */
export interface StorageVersion extends KubeObject {
  status?: {
    storageVersions?: ServerStorageVersion[];
    commonEncodingVersion?: string;
    conditions?: object[];
  };
}

export const storageVersions = ref<StorageVersion>(
  'internal.apiserver.k8s.io',
  'v1alpha1',
  'storageversions',
  'StorageVersion',
  false,
);
