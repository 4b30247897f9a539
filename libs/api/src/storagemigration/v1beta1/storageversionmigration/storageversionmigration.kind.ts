import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, required } from '@orrery/apimachinery';
import type { StorageVersionMigration } from '../../../gen/types/storagemigration.v1beta1.js';
import { defineKind } from '../../../kind.js';
import { when } from '../../../meta/findings.js';
import { immutable } from '../../../meta/object-meta.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';

const RESOURCE = FieldPath.of('spec', 'resource');

const validate = ({ spec }: StorageVersionMigration): FieldError[] =>
  when(!spec?.resource?.resource, required(RESOURCE.child('resource'), 'resource is required'));

export const StorageVersionMigrationKind = defineKind<StorageVersionMigration>({
  group: 'storagemigration.k8s.io',
  version: 'v1beta1',
  kind: 'StorageVersionMigration',
  plural: 'storageversionmigrations',
  scope: 'Cluster',
  strategy: strategyOf<StorageVersionMigration>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    ownsStatus: true,
    initialStatus: () => ({}),
    check: validate,
    checkUpdate: ({ spec }, old) => immutable(spec?.resource, old.spec?.resource, RESOURCE),
  }),
  status: statusStrategyOf<StorageVersionMigration>(),
  columns: table<StorageVersionMigration>([
    { ...nameColumn, format: '' },
    column('Resource', ({ spec }) => {
      const resource = spec?.resource?.resource ?? '';
      const group = spec?.resource?.group ?? '';
      return group ? `${resource}.${group}` : resource;
    }),
  ]),
});
