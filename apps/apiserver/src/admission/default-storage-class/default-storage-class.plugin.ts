import type { PersistentVolumeClaim, StorageClass } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';

const DEFAULT = 'storageclass.kubernetes.io/is-default-class';

/** Names the default class in claims that name none; of several, the newest (k8s plugin/pkg/admission/storage/storageclass/setdefault). */
export class DefaultStorageClass implements AdmissionPlugin {
  readonly name = 'DefaultStorageClass';

  constructor(private readonly classes: Pick<LiveReader<StorageClass>, 'values'>) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE';
  }

  admit({ kind, subresource, object }: AdmissionAttributes): void {
    if (kind.group !== '' || kind.plural !== 'persistentvolumeclaims' || subresource !== '') return;
    const claim = object as PersistentVolumeClaim;
    if (!claim.spec || claim.spec.storageClassName !== undefined) return;
    if (claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class']) return;
    const [newest] = [...this.classes.values()]
      .filter((one) => one.metadata.annotations?.[DEFAULT] === 'true')
      .sort(
        (a, b) =>
          (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '') ||
          (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''),
      );
    if (newest?.metadata.name) claim.spec.storageClassName = newest.metadata.name;
  }
}
