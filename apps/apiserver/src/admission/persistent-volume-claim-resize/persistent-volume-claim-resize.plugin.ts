import { compareQuantities, parseQuantity } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, StorageClass } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy } from '../forbidden.js';

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

const sizeOf = ({ spec }: PersistentVolumeClaim): ReturnType<typeof parseQuantity> =>
  parseQuantity(String(spec?.resources?.requests?.['storage'] ?? '0'));

const classOf = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata.annotations?.[BETA_CLASS] ?? spec?.storageClassName ?? '';

/** A claim grows only when it is bound and its class lets it (k8s plugin/pkg/admission/storage/persistentvolume/resize). */
export class PersistentVolumeClaimResize implements AdmissionPlugin {
  readonly name = 'PersistentVolumeClaimResize';

  constructor(private readonly classes: Pick<LiveReader<StorageClass>, 'find'>) {}

  handles(operation: Operation): boolean {
    return operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const { kind, subresource, object, oldObject } = attributes;
    if (kind.group !== '' || kind.plural !== 'persistentvolumeclaims' || subresource !== '') return;
    const claim = object as PersistentVolumeClaim;
    const old = oldObject as PersistentVolumeClaim;
    if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
    const refuse = (why: string): never => {
      throw forbiddenBy(attributes, why);
    };
    if (old.status?.phase !== 'Bound')
      refuse('Only bound persistent volume claims can be expanded');
    const name = classOf(claim);
    const isSame = name !== '' && name === classOf(old);
    const found = isSame ? await this.classes.find(name) : undefined;
    if (found?.allowVolumeExpansion !== true)
      refuse(
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      );
  }
}
