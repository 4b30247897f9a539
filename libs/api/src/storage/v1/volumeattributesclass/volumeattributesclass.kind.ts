import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden } from '@orrery/apimachinery';
import type { VolumeAttributesClass } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { when } from '../../../meta/findings.js';
import { isDeepEqual } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateClassParameters } from '../storageclass/class-parameters.js';
import { validateCsiDriverName } from './csi-driver-name.js';

const DRIVER = FieldPath.of('driverName');
const PARAMETERS = FieldPath.of('parameters');

const validateUpdate = (
  object: VolumeAttributesClass,
  old: VolumeAttributesClass,
): FieldError[] => [
  ...when(
    object.driverName !== old.driverName,
    forbidden(DRIVER, 'updates to driverName are forbidden.'),
  ),
  ...when(
    !isDeepEqual(object.parameters, old.parameters),
    forbidden(PARAMETERS, 'updates to parameters are forbidden.'),
  ),
];

/** k8s pkg/apis/storage/validation/validation.go:ValidateVolumeAttributesClass. */
export const VolumeAttributesClassKind = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  scope: 'Cluster',
  strategy: strategyOf<VolumeAttributesClass>({
    namespaced: false,
    check: ({ driverName, parameters }) => [
      ...validateCsiDriverName(driverName, DRIVER),
      ...validateClassParameters(parameters, PARAMETERS, false),
    ],
    checkUpdate: validateUpdate,
  }),
  columns: table<VolumeAttributesClass>([
    nameColumn,
    column('DriverName', ({ driverName }) => driverName ?? ''),
    ageColumn,
  ]),
});
