import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

/** Puts the protection finalizer on claims and volumes (k8s plugin/pkg/admission/storage/storageobjectinuseprotection). */
export class StorageObjectInUseProtection implements AdmissionPlugin {
  readonly name = 'StorageObjectInUseProtection';

  handles(operation: Operation): boolean {
    return operation === 'CREATE';
  }

  admit({ kind, subresource, object }: AdmissionAttributes): void {
    const finalizer = kind.group === '' && subresource === '' ? FINALIZERS[kind.plural] : undefined;
    if (!finalizer || !object) return;
    const present = object.metadata.finalizers ?? [];
    if (!present.includes(finalizer)) object.metadata.finalizers = [...present, finalizer];
  }
}
