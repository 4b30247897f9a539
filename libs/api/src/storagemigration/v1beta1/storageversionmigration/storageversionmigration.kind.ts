import type { FieldError } from '@orrery/apimachinery';
import {
  FieldPath,
  invalid,
  isDns1035Label,
  isDns1123Subdomain,
  required,
} from '@orrery/apimachinery';
import type { StorageVersionMigration } from '../../../gen/types/storagemigration.v1beta1.js';
import { defineKind } from '../../../kind.js';
import { validateConditions } from '../../../meta/conditions.js';
import { when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';
import { FIELD_IMMUTABLE, immutable } from '../../../meta/object-meta.js';
import { keepMetadata, statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');

/** k8s pkg/apis/storagemigration/validation/validation.go:ValidateStorageVersionMigration. */
function validate({ spec }: StorageVersionMigration): FieldError[] {
  const resource = spec?.resource?.resource ?? '';
  const group = spec?.resource?.group ?? '';
  const at = SPEC.child('resource');
  const joined = (found: readonly string[], value: string, field: string): FieldError[] =>
    when(found.length > 0, invalid(at.child(field), value, found.join(',')));
  return [
    ...(resource === ''
      ? [required(at.child('resource'), 'resource is required to be set')]
      : joined(isDns1035Label(resource), resource, 'resource')),
    ...(group === '' ? [] : joined(isDns1123Subdomain(group), group, 'group')),
  ];
}

const isTrue = ({ status }: StorageVersionMigration, type: string): boolean =>
  list(status?.conditions).some((one) => one.type === type && one.status === 'True');

/** Conditions that cannot be true together, or that do not become false again. */
function validateOutcome(
  migration: StorageVersionMigration,
  old: StorageVersionMigration,
): FieldError[] {
  const at = STATUS.child('conditions');
  const [succeeded, failed, running] = ['Succeeded', 'Failed', 'Running'].map((type) =>
    isTrue(migration, type),
  );
  const refuse = (isWrong: boolean | undefined, text: string): FieldError[] =>
    when(isWrong === true, invalid(at, migration.status?.conditions ?? null, text));
  return [
    ...refuse(
      succeeded && failed,
      'Both success and failed conditions cannot be true at the same time',
    ),
    ...refuse(
      succeeded && running,
      'Running condition cannot be true when success condition is true',
    ),
    ...refuse(failed && running, 'Running condition cannot be true when failed condition is true'),
    ...refuse(
      isTrue(old, 'Succeeded') && !succeeded,
      'Success condition cannot be set to false once it is true',
    ),
    ...refuse(
      isTrue(old, 'Failed') && !failed,
      'Failed condition cannot be set to false once it is true',
    ),
  ];
}

/** …/validation.go:ValidateStorageVersionMigrationStatusUpdate. */
function validateStatus(
  migration: StorageVersionMigration,
  old: StorageVersionMigration,
): FieldError[] {
  const version = migration.status?.resourceVersion ?? '';
  const before = old.status?.resourceVersion ?? '';
  const at = STATUS.child('resourceVersion');
  return [
    ...when(
      !/^[1-9][0-9]*$/.test(version),
      invalid(at, version, `resource version is not well formed: ${version}`),
    ),
    ...validateConditions(migration.status?.conditions, STATUS.child('conditions')),
    ...when(before !== '' && before !== version, invalid(at, version, FIELD_IMMUTABLE)),
    ...validateOutcome(migration, old),
  ];
}

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
    checkUpdate: ({ spec }, old) =>
      immutable(spec, old.spec, SPEC, 'storagemigration/v1beta1.StorageVersionMigrationSpec'),
  }),
  status: statusStrategyOf<StorageVersionMigration>(validateStatus, keepMetadata),
  columns: table<StorageVersionMigration>([
    { ...nameColumn, format: '' },
    column('Resource', ({ spec }) => {
      const resource = spec?.resource?.resource ?? '';
      const group = spec?.resource?.group ?? '';
      return group ? `${resource}.${group}` : resource;
    }),
  ]),
});
