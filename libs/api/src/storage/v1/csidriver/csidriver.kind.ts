import type { FieldError } from '@orrery/apimachinery';
import { FieldPath } from '@orrery/apimachinery';
import type { CSIDriver } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf, list } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');

/** k8s pkg/apis/storage/v1/defaults.go:SetDefaults_CSIDriver. */
export function setCsiDriverDefaults(driver: CSIDriver): void {
  driver.spec ??= {};
  const { spec } = driver;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if (list(spec.volumeLifecycleModes).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

const validate = ({ spec }: CSIDriver): FieldError[] => [
  ...oneOf(
    spec?.fsGroupPolicy,
    ['ReadWriteOnceWithFSType', 'File', 'None'],
    SPEC.child('fsGroupPolicy'),
    false,
  ),
  ...eachOf(spec?.volumeLifecycleModes, (mode, i) =>
    oneOf(mode, ['Persistent', 'Ephemeral'], SPEC.child('volumeLifecycleModes').index(i)),
  ),
];

export const CSIDriverKind = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  scope: 'Cluster',
  setDefaults: setCsiDriverDefaults,
  strategy: strategyOf<CSIDriver>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    check: validate,
    checkUpdate: (object, old) =>
      immutable(
        object.spec?.attachRequired,
        old.spec?.attachRequired,
        SPEC.child('attachRequired'),
      ),
  }),
  columns: table<CSIDriver>([
    nameColumn,
    column('AttachRequired', ({ spec }) => spec?.attachRequired !== false, 'boolean'),
    column('PodInfoOnMount', ({ spec }) => spec?.podInfoOnMount === true, 'boolean'),
    column('StorageCapacity', ({ spec }) => spec?.storageCapacity === true, 'boolean'),
    column(
      'TokenRequests',
      ({ spec }) =>
        list(spec?.tokenRequests)
          .map(({ audience }) => audience)
          .join(',') || '<unset>',
    ),
    column('RequiresRepublish', ({ spec }) => spec?.requiresRepublish === true, 'boolean'),
    column('Modes', ({ spec }) => list(spec?.volumeLifecycleModes).join(',') || '<none>'),
    ageColumn,
  ]),
  hasGeneration: true,
});
