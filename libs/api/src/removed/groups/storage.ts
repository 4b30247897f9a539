import { CSIDriverKind } from '../../storage/v1/csidriver/csidriver.kind.js';
import { CSINodeKind } from '../../storage/v1/csinode/csinode.kind.js';
import { CSIStorageCapacityKind } from '../../storage/v1/csistoragecapacity/csistoragecapacity.kind.js';
import { StorageClassKind } from '../../storage/v1/storageclass/storageclass.kind.js';
import { VolumeAttachmentKind } from '../../storage/v1/volumeattachment/volumeattachment.kind.js';
import { removedKind } from '../removed-kind.js';

const IN_1_22 = { deprecated: '1.19', removed: '1.22' };

export const removedStorage = [
  removedKind(StorageClassKind, { version: 'v1beta1', lifecycle: IN_1_22 }),
  removedKind(VolumeAttachmentKind, { version: 'v1beta1', lifecycle: IN_1_22 }),
  removedKind(CSIDriverKind, { version: 'v1beta1', lifecycle: IN_1_22 }),
  removedKind(CSINodeKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.17', removed: '1.22' },
  }),
  removedKind(CSIStorageCapacityKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.24', removed: '1.27' },
  }),
  removedKind(VolumeAttachmentKind, {
    version: 'v1alpha1',
    lifecycle: { deprecated: '1.21', removed: '1.24' },
  }),
  removedKind(CSIStorageCapacityKind, {
    version: 'v1alpha1',
    lifecycle: {
      deprecated: '1.21',
      removed: '1.24',
      replacement: 'storage.k8s.io/v1beta1 CSIStorageCapacity',
    },
  }),
];
