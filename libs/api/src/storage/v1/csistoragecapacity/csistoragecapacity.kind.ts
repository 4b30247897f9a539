import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid } from '@orrery/apimachinery';
import type { CSIStorageCapacity } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { NOT_NEGATIVE } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { quantityValue } from '../../../meta/quantity.js';
import { strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';

const notNegative = (amount: string | undefined, field: string): FieldError[] =>
  given(amount, (text) =>
    when(quantityValue(text) < 0, invalid(FieldPath.of(field), text, NOT_NEGATIVE)),
  );

/** k8s pkg/apis/storage/validation/validation.go:ValidateCSIStorageCapacity. */
const validate = (object: CSIStorageCapacity): FieldError[] => [
  ...validateLabelSelector(object.nodeTopology, FieldPath.of('nodeTopology')),
  ...check(dnsSubdomain, object.storageClassName, FieldPath.of('storageClassName')),
  ...notNegative(object.capacity, 'capacity'),
  ...notNegative(object.maximumVolumeSize, 'maximumVolumeSize'),
];

export const CSIStorageCapacityKind = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  scope: 'Namespaced',
  strategy: strategyOf<CSIStorageCapacity>({
    namespaced: true,
    allowUnconditionalUpdate: false,
    check: validate,
    checkUpdate: (object, old) =>
      (['nodeTopology', 'storageClassName'] as const).flatMap((field) =>
        immutable(object[field], old[field], FieldPath.of(field)),
      ),
  }),
  columns: table<CSIStorageCapacity>([
    nameColumn,
    column('StorageClassName', ({ storageClassName }) => storageClassName ?? ''),
    column('Capacity', ({ capacity }) => capacity ?? '<unset>'),
  ]),
});
