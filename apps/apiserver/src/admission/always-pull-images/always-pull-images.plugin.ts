import { FieldPath, notSupported } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { Pod } from '@orrery/api';
import { forbiddenBy } from '../forbidden.js';

const FIELDS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

function podOf({ kind, subresource, object }: AdmissionAttributes): Pod | undefined {
  const isPod = kind.group === '' && kind.plural === 'pods';
  const isOwn = subresource === '' || subresource === 'ephemeralcontainers';
  return isPod && isOwn ? (object as Pod | undefined) : undefined;
}

/** Every image is pulled anew, so that nobody runs a private one without its credentials (k8s plugin/pkg/admission/alwayspullimages). */
export class AlwaysPullImages implements AdmissionPlugin {
  readonly name = 'AlwaysPullImages';

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  admit(attributes: AdmissionAttributes): void {
    const pod = podOf(attributes);
    for (const field of FIELDS)
      for (const container of pod?.spec?.[field] ?? []) container.imagePullPolicy = 'Always';
  }

  validate(attributes: AdmissionAttributes): void {
    const pod = podOf(attributes);
    for (const field of FIELDS)
      for (const [i, { imagePullPolicy }] of (pod?.spec?.[field] ?? []).entries()) {
        if (imagePullPolicy === 'Always') continue;
        const path = FieldPath.of('spec', field).index(i).child('imagePullPolicy');
        const error = notSupported(path, imagePullPolicy ?? '', ['Always']);
        throw forbiddenBy(attributes, `${error.field}: ${error.message}`);
      }
  }
}
